"""Cron expressions: what they mean, when they are due, and which are refused."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from forge_jobs.cron.expression import BadExpression, Cron, written
from tests.conftest import NOON
from tests.cron.model import ZONES, fires, year_of

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def walk(cron: Cron, *, after: datetime, until: datetime) -> list[datetime]:
    found = []
    while (due := cron.after(after)) and due <= until:
        found.append(due)
        after = due
    return found


def faces(expression: str, day: str, zone: str = "Europe/Berlin") -> list[str]:
    """When it is due on a day, as the wall shows it, with the offset from UTC."""
    start = local(day, zone)
    end = local(f"{day}T23:59:59", zone)
    found = walk(Cron(expression, ZoneInfo(zone)), after=start - SECOND, until=end)
    return [f"{due.astimezone(ZoneInfo(zone)):%H:%M%z}" for due in found]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "expression",
    [
        "*/7 3 * * 1-5",
        "30 2 * * *",
        "0 */2 * * *",
        "15,45 1-3 * * *",
        "5 2 1,15 * 0",
        "10-50/20 2 * 3,4,10,11 *",
        "30 0-23/2 * * *",
        "5,*/20 1-3 */2 * mon",
    ],
)
def test_a_year_is_as_the_brute_force_model_has_it(expression: str, zone: str) -> None:
    start, end = datetime(2025, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    assert walk(Cron(expression, ZoneInfo(zone)), after=start, until=end) == year_of(
        expression, zone
    )


CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize(
    "expression", ["*/17 * * * * *", "7,40 15-45 1,2 * * *", "59 59 1-2 * * *", "*/10 30 2 * * *"]
)
def test_seconds_around_a_change_of_the_clock_are_as_the_model_has_them(
    expression: str, zone: str, change: datetime
) -> None:
    start, end = change - 2 * HOUR, change + 2 * HOUR
    expected = fires(expression, zone, start=start, end=end, step=SECOND)

    assert walk(Cron(expression, ZoneInfo(zone)), after=start, until=end) == expected


def test_a_fixed_hour_that_is_skipped_is_due_once_right_after_the_jump() -> None:
    assert faces("30 2 * * *", "2026-03-28") == ["02:30+0100"]
    assert faces("30 2 * * *", "2026-03-29") == ["03:00+0200"]
    assert faces("0,15,30 2 * * *", "2026-03-29") == ["03:00+0200"]
    assert faces("30-59/10 2 * * *", "2026-03-29") == ["03:00+0200"]
    assert faces("10 2 * * *", "2026-10-04", "Australia/Lord_Howe") == ["02:30+1100"]


def test_a_fixed_hour_that_comes_twice_is_due_the_first_time() -> None:
    assert faces("30 2 * * *", "2026-10-25") == ["02:30+0200"]
    assert faces("30-59/20 2 * * *", "2026-10-25") == ["02:30+0200", "02:50+0200"]
    assert faces("45 1 * * *", "2026-04-05", "Australia/Lord_Howe") == ["01:45+1100"]


def test_what_begins_with_a_star_follows_elapsed_time() -> None:
    assert faces("0 */2 * * *", "2026-03-29")[:3] == ["00:00+0100", "04:00+0200", "06:00+0200"]
    assert faces("*/30 2 * * *", "2026-03-29") == []
    assert faces("*/30 2 * * *", "2026-10-25") == [
        "02:00+0200",
        "02:30+0200",
        "02:00+0100",
        "02:30+0100",
    ]
    assert len(faces("0 * * * *", "2026-10-25")) == 25


def test_a_plain_day_time_is_the_same_on_every_day() -> None:
    for day in ("2026-03-29", "2026-07-01", "2026-10-25"):
        assert [face[:5] for face in faces("0 9 * * *", day)] == ["09:00"]


def test_every_other_hour_is_by_the_wall() -> None:
    shown = [face[:5] for face in faces("0 */2 * * *", "2026-10-25")]
    assert shown[:4] == ["00:00", "02:00", "02:00", "04:00"]
    assert (len(faces("0 * * * *", "2026-03-29")), len(shown)) == (23, 13)


def test_a_range_may_go_over_the_end() -> None:
    assert faces("0 22-1 * * *", "2026-07-01") == [
        "00:00+0200",
        "01:00+0200",
        "22:00+0200",
        "23:00+0200",
    ]


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("0 20-7/3 * * *", ["02:00", "05:00", "20:00", "23:00"]),
        ("50-10/7 4 * * *", ["04:04", "04:50", "04:57"]),
        ("5/20 4 * * *", ["04:05", "04:25", "04:45"]),
    ],
)
def test_a_step_counts_on_over_the_end(expression: str, shown: list[str]) -> None:
    assert [face[:5] for face in faces(expression, "2026-07-01")] == shown


def days(expression: str, *, month: int = 1) -> list[int]:
    """On which days of a month it is due; 2026 begins on a Thursday."""
    start = datetime(2026, month, 1, tzinfo=UTC)
    end = datetime(2026, month + 1, 1, tzinfo=UTC) - SECOND
    return [due.day for due in walk(Cron(expression), after=start - SECOND, until=end)]


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ("* * fri-mon/2", [2, 4, 9, 11, 16, 18, 23, 25, 30]),  # Fridays and Sundays
        ("* * 7-2/2", [4, 6, 11, 13, 18, 20, 25, 27]),  # Sundays and Tuesdays
        ("* * 5/2", [2, 9, 16, 23, 30]),  # ends on Saturday
        ("* * 0-7/4", [1, 4, 8, 11, 15, 18, 22, 25, 29]),
        ("* * sun-sat", [*range(1, 32)]),
        ("28-3/3 * *", [3, 28, 31]),
        ("*/10 * *", [1, 11, 21, 31]),
        ("L,15 * *", [15, 31]),
        ("10W,31W * *", [9, 30]),
        ("1W,15 * *", [1, 15]),
        ("* * 1,5#2,Lsat", [5, 9, 12, 19, 26, 31]),
        ("* * 4#5", [29]),
        ("* * 3#5", []),
    ],
)
def test_the_days_of_a_month_are_those_that_one_field_names(fields: str, due: list[int]) -> None:
    assert days(f"0 0 {fields}") == due


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ("13 * fri", [2, 9, 13, 16, 23, 30]),
        ("8-9 * 0#2", [8, 9, 11]),
        ("15W * 1", [5, 12, 15, 19, 26]),
        ("1 * L5", [1, 30]),
        ("L * 5#1", [2, 31]),
        ("1-31 * mon", [*range(1, 32)]),
        ("5,*/10 * mon", [1, 5, 11, 12, 19, 21, 26, 31]),
    ],
)
def test_a_day_that_fits_either_day_field_is_due(fields: str, due: list[int]) -> None:
    assert days(f"0 0 {fields}") == due


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ("*/2 * mon", [5, 19]),
        ("13 * */2", [13]),
        ("*/10,12 * mon", [12]),
        ("*,13 * fri", [2, 9, 16, 23, 30]),
        ("? * mon", [5, 12, 19, 26]),
    ],
)
def test_both_must_fit_if_one_of_them_begins_with_a_star(fields: str, due: list[int]) -> None:
    assert days(f"0 0 {fields}") == due


def test_a_weekday_nearest_to_a_day_stays_in_its_month() -> None:
    assert days("0 0 1W * *", month=8) == [3]  # the 1st is a Saturday
    assert days("0 0 31W * *", month=5) == [29]  # the 31st is a Sunday
    assert days("0 0 31W * *", month=4) == []
    assert days("0 0 28W * *", month=2) == [27]


def test_months_go_over_the_end_of_the_year() -> None:
    cron = Cron("0 0 1 nov-feb/3 *")
    found = walk(cron, after=NOON, until=datetime(2027, 12, 31, tzinfo=UTC))

    assert [f"{due:%b}" for due in found] == ["Nov", "Feb", "Nov"]


def test_a_day_that_a_zone_leaves_out_is_made_up_for_once() -> None:
    samoa = ZoneInfo("Pacific/Apia")
    start, end = (datetime(2011, 12, day, 12, tzinfo=samoa) for day in (29, 31))
    found = walk(Cron("0 5,6 * * *", samoa), after=start, until=end)

    assert [f"{due.astimezone(samoa):%d %H:%M}" for due in found] == [
        "31 00:00",
        "31 05:00",
        "31 06:00",
    ]


def test_intervals_are_aligned_so_that_all_agree() -> None:
    assert Cron("@every 90s").after(NOON) == NOON + 90 * SECOND
    assert Cron("@every 90s").after(NOON + SECOND / 2) == NOON + 90 * SECOND
    assert Cron("@every 7m", BERLIN).after(NOON + HOUR) == Cron("@every 7m").after(NOON + HOUR)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    due = Cron("@every 1h30m").after(NOON)
    assert due
    assert (due - epoch) % (90 * MINUTE) == timedelta(0)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("* * * * *", "2026-03-02T12:01"),
        ("* * * * * *", "2026-03-02T12:00:01"),
        ("15 * * * * *", "2026-03-02T12:00:15"),
        ("@hourly", "2026-03-02T13:00"),
        ("@DAILY", "2026-03-03T00:00"),
        ("@weekly", "2026-03-08T00:00"),
        ("0 9 * * MON-FRI", "2026-03-03T09:00"),
        ("0 9 * jun,Aug *", "2026-06-01T09:00"),
        ("0 0 L * *", "2026-03-31T00:00"),
        ("0 0 * * 5#2", "2026-03-13T00:00"),
        ("0 0 * * L5", "2026-03-27T00:00"),
        ("0 0 15W * *", "2026-03-16T00:00"),
        ("0 0 * * 7", "2026-03-08T00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("  0   0\t1 * *  ", "2026-04-01T00:00"),
    ],
)
def test_an_expression_is_due_next(expression: str, due: str) -> None:
    assert Cron(expression).after(NOON) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        ("61 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * febr *", "month"),
        ("* * * * 8", "day of week"),
        ("* * * * mon-", "day of week"),
        ("60 * * * * *", "second"),
        ("*/0 * * * *", "minute"),
        ("*/90 * * * *", "minute"),
        ("0,1-59/61 * * * * *", "second"),
        ("0 */25 * * *", "hour"),
        ("0 0 */32 * *", "day of month"),
        ("-5 * * * *", "minute"),
        ("5-5 * * * *", "minute"),
        ("* * * * mon-Mon/2", "day of week"),
        ("* * * * mon-1", "day of week"),
        ("* * * * 7-0", "day of week"),
        ("* * * * 0-sun", "day of week"),
        ("* * * * sun-7", "day of week"),
        ("01-1 * * * *", "minute"),
        ("* * * jan-1 *", "month"),
        ("1.5 * * * *", "minute"),
        ("٣ * * * *", "minute"),
        ("R * * * *", "minute"),
        ("* H(1-5) * * *", "hour"),
        ("* * * * 1#6", "day of week"),
        ("* * * * 1-5#2", "day of week"),
        ("* * * * L", "day of week"),
        ("* * 32W * *", "day of month"),
        ("* * L-3 * *", "day of month"),
        ("*-5 * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("? * * * *", "minute"),
        ("0 0 30W 2 *", "expression"),
        ("0 0 31 4 */2", "expression"),
        ("0 0 30 2 *", "expression"),
        ("0 0 31 4,6,9,11 *", "expression"),
        ("* * * * * * *", "expression"),
        ("* * * *", "expression"),
        ("", "expression"),
        ("   ", "expression"),
        ("@reboot", "expression"),
        ("@fortnightly", "expression"),
        ("* " * 101, "expression"),
        ("@every", "interval"),
        ("@every 0s", "interval"),
        ("@every 1.5s", "interval"),
        ("@every 5", "interval"),
        ("@every -5s", "interval"),
        ("@every 99999999999999999999d", "interval"),
        ("@every 30s *", "interval"),
    ],
)
def test_a_bad_expression_is_refused_with_its_field_and_the_reason(
    expression: str, field: str
) -> None:
    with pytest.raises(BadExpression) as refusal:
        Cron(expression)

    assert refusal.value.field == field
    assert refusal.value.reason
    assert str(refusal.value) == f"{field}: {refusal.value.reason}"


@pytest.mark.parametrize("junk", [None, 5, ["*"] * 5, b"* * * * *"], ids=repr)
def test_what_is_no_text_is_refused(junk: object) -> None:
    with pytest.raises(BadExpression):
        Cron(junk)  # type: ignore[arg-type] # wrong, to be refused


@given(st.text(alphabet="0123456789*/,-#LWHRlw@? monfeb\t", max_size=30))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        cron = Cron(text)
    except BadExpression:
        return
    assert cron.after(NOON) is None or cron.after(NOON) > NOON  # type: ignore[operator] # it is not None here
    assert cron.in_words()


def test_after_the_last_due_moment_there_is_none() -> None:
    assert Cron("* * * * *").after(datetime(9999, 12, 31, 23, 59, 30, tzinfo=UTC)) is None
    assert Cron("@every 1d").after(datetime(9999, 12, 31, 23, 59, 30, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("every", "expression"),
    [
        (30 * SECOND, "@every 30s"),
        (90 * MINUTE, "@every 1h30m"),
        (2 * DAY + SECOND, "@every 2d1s"),
        (3_600 * SECOND, "@every 1h"),
    ],
)
def test_an_interval_is_written_as_an_expression(every: timedelta, expression: str) -> None:
    assert written(every) == expression


@given(st.integers(1, 300_000_000))
def test_an_interval_that_is_written_is_read_as_the_same(seconds: int) -> None:
    due = Cron(written(seconds * SECOND)).after(datetime(1970, 1, 1, tzinfo=UTC))

    assert due == datetime(1970, 1, 1, tzinfo=UTC) + seconds * SECOND


@pytest.mark.parametrize("every", [timedelta(0), -SECOND, SECOND / 2, 1.5 * SECOND, 30], ids=repr)
def test_an_interval_that_is_none_is_refused(every: timedelta) -> None:
    with pytest.raises(BadExpression, match="interval"):
        written(every)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("@every 30s", "Every 30 seconds"),
        ("@every 1d", "Every day"),
        ("@every 1h30m5s", "Every 1 hour, 30 minutes and 5 seconds"),
    ],
)
def test_an_interval_is_put_in_words(expression: str, words: str) -> None:
    assert Cron(expression).in_words() == words


def test_the_latest_of_many_millions_are_found_at_once() -> None:
    century = timedelta(days=36_500)
    found = Cron("* * * * * *").latest(3, after=NOON - century, until=NOON)

    assert found == [NOON - 2 * SECOND, NOON - SECOND, NOON]
    yearly = Cron("* * 3 1 1 *").latest(2, after=NOON - century, until=NOON)
    assert yearly[-1] == datetime(2026, 1, 1, 3, 59, 59, tzinfo=UTC)
    assert yearly[-1] - yearly[0] == SECOND


def test_the_bounds_of_the_latest_are_open_and_closed() -> None:
    minutely = Cron("* * * * *")

    assert minutely.latest(9, after=NOON - MINUTE, until=NOON) == [NOON]
    assert minutely.latest(9, after=NOON, until=NOON + 59 * SECOND) == []
    assert minutely.latest(9, after=NOON, until=NOON - HOUR) == []
    assert minutely.latest(0, after=NOON - HOUR, until=NOON) == []


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: "{}-{}".format(*sorted(pair)))
    step = st.integers(2, high).map(lambda n: f"*/{n}")
    listed = st.lists(number, min_size=1, max_size=3).map(lambda ns: ",".join(map(str, ns)))
    return st.one_of(st.just("*"), listed, span.filter(lambda s: len({*s.split("-")}) > 1), step)


EXPRESSIONS = st.tuples(field(0, 59), field(0, 23), st.just("*"), st.just("*"), field(0, 6)).map(
    " ".join
)
NEAR_CHANGES = st.tuples(st.sampled_from(CHANGES), st.integers(-3 * 86_400, 3 * 86_400)).map(
    lambda near: (near[0][0], near[0][1] + near[1] * SECOND)
)


@given(EXPRESSIONS, NEAR_CHANGES, st.integers(1, 36))
@hypothesis(max_examples=60)
def test_nothing_that_matches_is_left_out_and_nothing_is_made_up(
    expression: str, near: tuple[str, datetime], hours: int
) -> None:
    zone, moment = near
    start = moment.replace(second=0)
    end = start + hours * HOUR
    warm = start - 2 * DAY  # so that the model knows how far the wall has come
    expected = fires(expression, zone, start=warm, end=end, step=MINUTE)

    found = walk(Cron(expression, ZoneInfo(zone)), after=start, until=end)
    assert found == [due for due in expected if due > start]


@given(EXPRESSIONS, NEAR_CHANGES, st.integers(0, 200_000))
@hypothesis(max_examples=60)
def test_what_comes_after_is_later_and_never_comes_sooner_for_a_later_moment(
    expression: str, near: tuple[str, datetime], microseconds: int
) -> None:
    zone, start = near
    cron = Cron(expression, ZoneInfo(zone))
    moments = [start + step * (HOUR + timedelta(microseconds=microseconds)) for step in range(30)]
    due = [later for moment in moments if (later := cron.after(moment))]

    assert all(later > moment for moment, later in zip(moments, due, strict=True))
    assert all(first <= second for first, second in pairwise(due))


@given(EXPRESSIONS, NEAR_CHANGES, st.integers(1, 48), st.integers(0, 40))
@hypothesis(max_examples=60)
def test_the_latest_are_the_last_of_all(
    expression: str, near: tuple[str, datetime], hours: int, count: int
) -> None:
    zone, after = near
    until = after + hours * HOUR
    cron = Cron(expression, ZoneInfo(zone))
    everything = walk(cron, after=after, until=until)

    assert cron.latest(count, after=after, until=until) == (everything[-count:] if count else [])
