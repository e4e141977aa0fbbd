"""What the sentences say is when expressions are due: neither more nor less."""

from datetime import date, timedelta
from random import Random

import pytest

from forge_jobs.cron.expression import BadExpression, Cron
from tests.cron.expressions import random_expression
from tests.cron.model import Matcher
from tests.cron.reader import Clock, understood

DAYS = [date(2027, 2, 1) + timedelta(days=n) for n in range(400)]  # to the 29th of February and on
ON_DEMAND = pytest.mark.on_demand, pytest.mark.timeout(3_600)


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=ON_DEMAND)])
def test_a_sentence_that_is_read_again_has_the_same_due_moments(count: int) -> None:
    random = Random(f"words {count}")
    while count:
        expression = random_expression(random, seconds_share=0.3)
        try:
            sentence = Cron(expression).in_words()
        except BadExpression:
            continue
        clock, fits = understood(sentence)
        matcher = Matcher(expression)

        assert clock == clock_of(matcher), (expression, sentence)
        assert [*filter(fits, DAYS)] == [*filter(matcher.is_the_day, DAYS)], (expression, sentence)
        count -= 1


def clock_of(matcher: Matcher) -> Clock:
    return Clock(
        {hour * 60 + minute for hour, minute, _second in matcher.clock},
        {second for _hour, _minute, second in matcher.clock},
    )


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "Every minute"),
        ("@hourly", "Every hour"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("*/7 * * * *", "Every 7 minutes from 0 through 56 past the hour"),
        ("*/7 3 * * 1-5", "Every 7 minutes, between 03:00 and 03:59, Monday through Friday"),
        ("5,35 * * * *", "At 5 and 35 minutes past the hour"),
        ("30 2 * * *", "At 02:30"),
        ("0 9,12 * * *", "At 09:00 and 12:00"),
        ("0 9-17 * * *", "Every hour, between 09:00 and 17:00"),
        ("30 9-17 * * *", "At 30 minutes past the hour, between 09:00 and 17:59"),
        ("0 */2 * * *", "Every 2 hours"),
        ("0 0 * * 1,3", "At 00:00, on Monday and Wednesday"),
        ("0 0 * * fri-mon", "At 00:00, Friday through Monday"),
        ("0 0 * * fri-mon/2", "At 00:00, on Friday and Sunday"),
        ("0 0 * * L5", "At 00:00, on the last Friday of the month"),
        (
            "0 0 * * 1#1,5#2",
            "At 00:00, on the first Monday and the second Friday of the month",
        ),
        ("0 0 L,15 * *", "At 00:00, on day 15 and the last day of the month"),
        ("0 0 15W * *", "At 00:00, on the weekday nearest to day 15 of the month"),
        ("0 9 13 * fri", "At 09:00, on day 13 of the month or on Friday"),
        ("0 9 */2 * mon", "At 09:00, on Monday, but only on odd days of the month"),
        ("0 9 1-31 * mon", "At 09:00"),
        ("0 9 1 nov-feb *", "At 09:00, on day 1 of the month, from November through February"),
        ("0 9 * 6 *", "At 09:00, in June"),
        ("* * * * * *", "Every second"),
        ("*/10 30 2 * * *", "Every 10 seconds, between 02:30:00 and 02:30:59"),
        ("15 30 2 * * *", "At 02:30:15"),
    ],
)
def test_sentences_are_short(expression: str, words: str) -> None:
    assert Cron(expression).in_words() == words
