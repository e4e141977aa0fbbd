"""Random cron expressions, with all that the documentation says one may write."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


def random_expression(random: Random, *, seconds_share: float = 0.2) -> str:
    fields = [
        numeric(random, 0, 59),
        numeric(random, 0, 23),
        sometimes(random, 0.4, lambda: month_day(random)),
        sometimes(random, 0.7, lambda: numeric(random, 1, 12, names=MONTHS)),
        sometimes(random, 0.4, lambda: weekday(random)),
    ]
    if random.random() < seconds_share:
        fields.insert(0, numeric(random, 0, 59))
    return " ".join(fields)


def sometimes(random: Random, share: float, field: Callable[[], str]) -> str:
    """A plain `*` otherwise."""
    return "*" if random.random() < share else field()


def month_day(random: Random) -> str:
    return listed(random, lambda: random.choice([day_part, day_part, special_day])(random))


def day_part(random: Random) -> str:
    return part(random, 1, 31)


def special_day(random: Random) -> str:
    return random.choice(["L", f"{random.randint(1, 31)}W"])


def weekday(random: Random) -> str:
    return listed(random, lambda: random.choice([week_part, week_part, special_weekday])(random))


def week_part(random: Random) -> str:
    return part(random, 0, 7, names=WEEKDAYS)


def special_weekday(random: Random) -> str:
    name = written(random, random.randint(0, 7), 0, WEEKDAYS)
    return random.choice([f"L{name}", f"{name}#{random.randint(1, 5)}"])


def numeric(random: Random, low: int, high: int, *, names: list[str] | None = None) -> str:
    return listed(random, lambda: part(random, low, high, names=names))


def listed(random: Random, one: Callable[[], str]) -> str:
    return ",".join(one() for _ in range(random.choice([1, 1, 1, 2, 3])))


def part(random: Random, low: int, high: int, *, names: list[str] | None = None) -> str:
    first, last = random.randint(low, high), random.randint(low, high)
    cycle = high - low + (names is not WEEKDAYS)
    step = f"/{random.randint(1, random.choice([3, cycle]))}"
    begin, end = (written(random, number, low, names) for number in (first, last))
    if (first - last) % cycle == 0:  # no span
        return begin
    return random.choice(
        ["*", f"*{step}", begin, begin, f"{begin}{step}", f"{begin}-{end}"] * 2
        + [f"{begin}-{end}{step}"]
    )


def written(random: Random, number: int, low: int, names: list[str] | None) -> str:
    if names and random.random() < 0.5:
        return names[(number - low) % len(names)]
    return str(number)
