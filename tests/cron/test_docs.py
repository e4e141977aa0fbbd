"""What `docs/schedules.md` says of expressions is what they do here."""

import re
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from forge_jobs.cron.expression import BadExpression, Cron

PAGE: Final = (Path(__file__).parents[2] / "docs/schedules.md").read_text()
BERLIN: Final = ZoneInfo("Europe/Berlin")
NEW_YEAR: Final = datetime(2026, 1, 1, tzinfo=UTC)
TO_MARCH: Final = datetime(2026, 3, 29, tzinfo=BERLIN)
TO_OCTOBER: Final = datetime(2026, 10, 25, tzinfo=BERLIN)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below its heading row, as plain text."""
    _before, _heading, table = PAGE.partition(f"\n{heading}\n")
    lines = takewhile(lambda line: line.startswith("|"), table.splitlines()[1:])
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def on(day: datetime, expression: str) -> list[datetime]:
    """What is due on a day of Berlin, as the wall shows it."""
    cron, due = Cron(expression, BERLIN), day - timedelta(seconds=1)
    found = []
    while (due := cron.after(due) or due).astimezone(BERLIN).date() == day.date():
        found.append(due.astimezone(BERLIN))
    return found


def described(found: list[datetime], cell: str) -> str:
    """In the form that the cell has."""
    if cell.endswith("times"):
        return f"{len(found)} times"
    faces = [f"{due:%H:%M}{' ↻' * (due.fold and '↻' in cell)}" for due in found]
    return ", ".join(faces) or "not at all"


def in_january(cron: Cron, cell: str) -> str:
    found, due = [], NEW_YEAR - timedelta(seconds=1)
    while (due := cron.after(due) or due).month == 1 and due.year == 2026:
        found.append(due)
    if ":" in cell:
        clock = "%H:%M:%S" if cell.count(":") > cell.count(",") + 1 else "%H:%M"
        return ", ".join(dict.fromkeys(due.strftime(clock) for due in found))
    days = [due.day for due in found]
    return "1 to 31" if days == [*range(1, 32)] else ", ".join(map(str, days))


@pytest.mark.parametrize(
    ("expression", "march", "october"), rows("| expression | on 29 March | on 25 October |")
)
def test_the_examples_of_changes_of_the_clock_are_true(
    expression: str, march: str, october: str
) -> None:
    assert described(on(TO_MARCH, expression), march) == march
    assert described(on(TO_OCTOBER, expression), october) == october


@pytest.mark.parametrize(
    ("expression", "here"), [row[:2] for row in rows("| expression | here | elsewhere |")]
)
def test_what_others_read_otherwise_is_read_as_the_table_says(expression: str, here: str) -> None:
    if here == "refused":
        with pytest.raises(BadExpression):
            Cron(expression)
        return

    assert in_january(Cron(expression), here) == here


def test_our_row_among_those_of_others_is_true() -> None:
    heading = next(line for line in PAGE.splitlines() if line.startswith("| | `30 2 * * *`, "))
    fixed, elapsing = re.findall(r"`([^`]+)`", heading)
    _here, *cells = rows(heading)[0]

    assert [
        described(on(day, expression), cell)
        for (expression, day), cell in zip(
            [(e, day) for e in (fixed, elapsing) for day in (TO_MARCH, TO_OCTOBER)],
            cells,
            strict=True,
        )
    ] == cells


def test_every_expression_that_the_page_shows_is_read_or_said_to_be_refused() -> None:
    """Those in running text; a table says it in its own column."""
    _before, _heading, text = PAGE.partition("## Expressions")
    text = text.partition("## Coming from another cron")[0]
    fields = r"[\d*,/a-zL#W-]+"
    shown = set(re.findall(rf"`({fields}(?: {fields}){{4,5}}|@every \w+)`", text))
    refused = {"*/90 * * * *", "0 0 30 2 *"}

    assert refused < shown
    for expression in shown - refused:
        Cron(expression)
