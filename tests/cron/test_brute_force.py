"""Random expressions against a model that looks at every minute: none made up, none left out."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from forge_jobs.cron.expression import BadExpression, Cron
from tests.cron.changes import CHANGES
from tests.cron.expressions import random_expression
from tests.cron.model import Matcher, fires

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3_600, 86_400))
FIRST = date(2027, 1, 1)
DAYS = [FIRST + n * DAY for n in range(2 * 365)]  # one has a 29th of February
FEW, MANY = 150, 10_000
BY_THE_MINUTE = [(zone, change) for zone, change in CHANGES if not change.second]
ON_DEMAND = pytest.mark.on_demand, pytest.mark.timeout(3_600)


def walk(cron: Cron, *, after: datetime, until: datetime) -> list[datetime]:
    found = []
    while (due := cron.after(after)) and due <= until:
        found.append(due)
        after = due
    return found


def readable(random: Random, count: int, *, seconds_share: float) -> Iterator[str]:
    """Those that are due now and then."""
    while count:
        expression = random_expression(random, seconds_share=seconds_share)
        try:
            Cron(expression)
        except BadExpression:
            assert is_never_due(expression)
        else:
            count -= 1
            yield expression


def is_never_due(expression: str) -> bool:
    matcher = Matcher(expression)
    return not any(matcher.is_the_day(FIRST + n * DAY) for n in range(28 * 366))


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=ON_DEMAND)])
def test_a_random_expression_is_due_on_the_days_that_the_model_finds(count: int) -> None:
    for expression in readable(Random(f"days {count}"), count, seconds_share=0):
        matcher = Matcher(expression)
        _minute, _hour, *day_fields = expression.split()
        at_noon = Cron(" ".join(["0 12", *day_fields]))
        end = datetime(2028, 12, 31, tzinfo=UTC)
        found = walk(at_noon, after=datetime(2027, 1, 1, tzinfo=UTC), until=end)

        assert [due.date() for due in found] == [*filter(matcher.is_the_day, DAYS)], expression


@pytest.mark.parametrize("count", [4, pytest.param(300, marks=ON_DEMAND)])
@pytest.mark.parametrize(("zone", "change"), BY_THE_MINUTE)
def test_a_random_expression_is_true_to_a_change_of_the_clock(
    zone: str, change: datetime, count: int
) -> None:
    start, end = change - 30 * HOUR, change + 50 * HOUR
    for expression in readable(Random(f"{zone} {change}"), count, seconds_share=0):
        expected = fires(expression, zone, start=start, end=end, step=MINUTE)

        assert walk(Cron(expression, ZoneInfo(zone)), after=start, until=end) == expected, (
            expression
        )


@pytest.mark.parametrize("count", [1, pytest.param(100, marks=ON_DEMAND)])
@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_so_are_its_seconds(zone: str, change: datetime, count: int) -> None:
    start, end = change - 2 * HOUR, change + 2 * HOUR
    for expression in readable(Random(f"{zone} {change}"), count, seconds_share=1):
        expected = fires(expression, zone, start=start, end=end, step=SECOND)

        assert walk(Cron(expression, ZoneInfo(zone)), after=start, until=end) == expected, (
            expression
        )
