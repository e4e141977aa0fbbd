"""Makes text of values: tables, durations, moments, sizes; for a terminal of 80 to 100 columns."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from forge_jobs.durations import spelled
from forge_jobs.wording import printable, unsafe

NOTHING: Final = "-"


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[str]
) -> list[str]:
    """Aligned lines; the columns with one of the heads `right` are aligned to the right."""
    printed = [[*map(one_line, row)] for row in rows]
    columns = [_column(cells, right=right) for cells in zip(heads, *printed, strict=True)]
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def facts(pairs: Mapping[str, str]) -> list[str]:
    """One line each, but for those that are empty."""
    told = {name: one_line(value) for name, value in pairs.items() if value}
    width = max(map(len, told), default=0)
    return [f"  {name:<{width}}  {value}" for name, value in told.items()]


def indented(text: str, *, by: int) -> list[str]:
    return [" " * by + line if line else "" for line in printable(text).splitlines()]


def number(count: int) -> str:
    return f"{count:,}" if count else NOTHING


def lasting(duration: timedelta) -> str:
    return spelled(duration.total_seconds())


def ago(moment: datetime, *, now: datetime) -> str:
    return f"in {lasting(moment - now)}" if moment > now else f"{lasting(now - moment)} ago"


def clock_face(moment: datetime) -> str:
    """A moment in the project's time zone, to the second."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"


def mebibytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB" if count else NOTHING


def shortened(text: str, longest: int) -> str:
    """With its middle left out, where it is too long."""
    if len(text) <= longest:
        return text
    tail = longest // 2
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def document(value: object) -> str:
    """JSON for programs that people can read, too; nothing in it steers a terminal."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return unsafe().sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def _column(cells: Sequence[str], *, right: Collection[str]) -> list[str]:
    width = max(map(len, cells))
    return [cell.rjust(width) if cells[0] in right else cell.ljust(width) for cell in cells]
