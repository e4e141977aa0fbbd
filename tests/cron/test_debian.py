"""Held against Debian's own cron: `debian.json` has what it ran, and how that was found out."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from forge_jobs.cron.expression import BadExpression, Cron

SECOND, MINUTE, DAY = (timedelta(seconds=n) for n in (1, 60, 86_400))
TABLE: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("debian.json").read_text())
FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED: Final = {"0 9 * * 1-1", "0 9 5-5 * *", "0 9 */32 * 1"}
"""Debian takes them; whoever wrote them meant something else, or less."""
LONGEST_MADE_UP_FOR: Final = timedelta(hours=3)


def fires(cron: Cron, *, after: datetime, until: datetime) -> list[datetime]:
    found = []
    while (due := cron.after(after)) and due <= until:
        found.append(due)
        after = due
    return found


@pytest.mark.parametrize("expression", TABLE["days"])
def test_it_is_due_on_the_days_on_which_debian_runs_it(expression: str) -> None:
    if expression in REFUSED:
        with pytest.raises(BadExpression):
            Cron(expression)
        return
    found = fires(Cron(expression), after=FIRST, until=FIRST + 365 * DAY - SECOND)

    assert [(due - FIRST).days + 1 for due in found] == TABLE["days"][expression]


@pytest.mark.parametrize("change", TABLE["changes"], ids=lambda change: change["zone"])
def test_it_is_due_when_debian_runs_it_around_a_change_of_the_clock(change: dict[str, Any]) -> None:
    zone, at = ZoneInfo(change["zone"]), datetime.fromisoformat(change["at"])
    skipped = (at.astimezone(zone).utcoffset() or DAY) - (
        (at - SECOND).astimezone(zone).utcoffset() or DAY
    )
    if not skipped:
        pytest.skip("This machine knows another rule for the zone.")
    for expression, runs in change["runs"].items():
        debian = {at + minute * MINUTE for minute in runs}  # it runs once for each time of a jump
        found = fires(Cron(expression, zone), after=at - 300 * MINUTE, until=at + 1_559 * MINUTE)
        if skipped > LONGEST_MADE_UP_FOR:  # for Debian that is a correction
            debian |= {at} & {*found}

        assert found == sorted(debian), expression
