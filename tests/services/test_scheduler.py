"""The scheduler: each due moment fires once, on time, as its policies say."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError
from django.dispatch import Signal
from pytest_django import DjangoAssertNumQueries

from forge_jobs import job, schedule, signals
from forge_jobs.clock import ManualClock
from forge_jobs.conf.policies import Overlap, Source
from forge_jobs.handlers.function import FunctionHandler
from forge_jobs.models import Job, Schedule, State
from forge_jobs.schedules import firing
from forge_jobs.services import scheduler
from forge_jobs.services.scheduler import Scheduler
from tests.conftest import NOON
from tests.planned import HOUR, MINUTE, SECOND, due_moments, planned_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]


@pytest.fixture
def run(manual_clock: ManualClock) -> Any:
    """Let the clock go on to a moment, and the scheduler have one pass."""
    subject = Scheduler()

    def run_at(moment: datetime) -> int:
        manual_clock.current = moment
        return subject.run_once(now=moment)

    return run_at


@contextmanager
def heard(signal: Signal) -> Iterator[list[dict[str, Any]]]:
    sent: list[dict[str, Any]] = []

    def hear(**kwargs: Any) -> None:
        sent.append(kwargs)

    signal.connect(hear)
    try:
        yield sent
    finally:
        signal.disconnect(hear)


def finish_all() -> None:
    Job.objects.update(state=State.SUCCEEDED, finished_at=NOON)


def stored() -> Schedule:
    row: Schedule = Schedule.objects.get()
    return row


def test_at_first_sight_a_schedule_does_not_fire(run: Any) -> None:
    planned_schedule(next_fire_at=None)

    assert [run(NOON), run(NOON + 59 * SECOND)] == [1, 0]
    assert stored().next_fire_at == NOON + MINUTE
    assert not Job.objects.exists()


def test_a_due_schedule_makes_one_job_and_moves_on(run: Any) -> None:
    planned_schedule(payload={}, queue="other", priority=7, max_attempts=2)

    assert [run(NOON + MINUTE), run(NOON + MINUTE), run(NOON + MINUTE + SECOND)] == [1, 0, 0]
    made = Job.objects.get()
    assert (made.kind, made.queue, made.priority) == ("app.noop", "other", 7)
    assert (made.max_attempts, made.state, made.run_at) == (2, State.READY, NOON + MINUTE)
    assert made.schedule == stored()
    assert (stored().last_fired_at, stored().next_fire_at) == (NOON + MINUTE, NOON + 2 * MINUTE)


def test_it_is_due_at_its_moment_and_not_before(run: Any) -> None:
    planned_schedule()

    assert run(NOON + MINUTE - timedelta(microseconds=1)) == 0
    assert run(NOON + MINUTE) == 1


def test_the_job_knows_its_window(run: Any) -> None:
    planned_schedule(overlap=Overlap.QUEUE)
    for minutes in (1, 2):
        run(NOON + minutes * MINUTE + SECOND)

    first, second = (made.context for made in Job.objects.order_by("pk"))
    assert first == {
        "schedule": "every minute",
        "due_at": (NOON + MINUTE).isoformat(),
        "last_due_at": None,
        "origin": "schedule",
    }
    assert second["due_at"] == (NOON + 2 * MINUTE).isoformat()
    assert second["last_due_at"] == first["due_at"]


def test_what_is_disabled_does_not_fire(run: Any) -> None:
    planned_schedule(is_enabled=False)

    assert run(NOON + HOUR) == 0


def test_a_schedule_that_is_enabled_again_starts_afresh(run: Any) -> None:
    row = planned_schedule()
    row.disable()
    run(NOON + HOUR)
    row.enable()
    run(NOON + HOUR + SECOND)

    assert stored().next_fire_at == NOON + HOUR + MINUTE
    assert not Job.objects.exists()


def test_a_moment_that_has_its_job_gets_no_other(run: Any) -> None:
    planned_schedule(overlap=Overlap.QUEUE)
    run(NOON + MINUTE)
    Schedule.objects.update(next_fire_at=NOON + MINUTE)  # as by a clock that was set back
    run(NOON + MINUTE + SECOND)

    assert due_moments() == [NOON + MINUTE]


def test_the_oldest_fires_first(run: Any) -> None:
    for name, minutes in (("c", 3), ("a", 1), ("b", 2)):
        planned_schedule(name=name, next_fire_at=NOON + minutes * MINUTE)
    run(NOON + 3 * MINUTE)

    names = [made.context["schedule"] for made in Job.objects.order_by("pk")]
    assert names == ["a", "b", "c"]


def test_more_than_one_pass_can_take_are_fired_without_a_rest(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "LARGEST_PASS", 2)
    for name in "abc":
        planned_schedule(name=name)

    assert run(NOON + MINUTE) == 2
    assert Scheduler().rest(now=NOON + MINUTE) <= timedelta(0)
    assert run(NOON + MINUTE) == 1


def test_it_rests_until_the_next_one_is_due_and_at_most_a_second() -> None:
    assert Scheduler().rest(now=NOON) == SECOND

    planned_schedule()
    assert Scheduler().rest(now=NOON) == SECOND
    assert Scheduler().rest(now=NOON + MINUTE - SECOND / 4) == SECOND / 4


def test_nothing_due_takes_one_query_however_many_there_are(
    run: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(50):
        planned_schedule(name=str(number))
    run(NOON)

    with django_assert_num_queries(1):
        assert run(NOON + SECOND) == 0


def test_a_kind_that_is_unknown_here_is_left_to_a_leader_that_knows_it(run: Any) -> None:
    planned_schedule(kind="app.elsewhere")
    planned_schedule(name="new", kind="app.elsewhere", next_fire_at=None)

    assert run(NOON + HOUR) == 0
    assert Scheduler().rest(now=NOON + HOUR) == SECOND
    assert not Schedule.objects.exclude(last_error="").exists()


def test_while_the_last_job_is_unfinished_the_next_is_skipped_and_counted(run: Any) -> None:
    planned_schedule()
    run(NOON + MINUTE)
    with heard(signals.schedule_skipped) as skips:
        run(NOON + 2 * MINUTE)
        run(NOON + 3 * MINUTE)

    assert due_moments() == [NOON + MINUTE]
    assert (stored().skipped, stored().last_skipped_at) == (2, NOON + 3 * MINUTE)
    assert (stored().last_fired_at, stored().next_fire_at) == (NOON + MINUTE, NOON + 4 * MINUTE)
    assert [skip["due_at"] for skip in skips] == [NOON + 2 * MINUTE, NOON + 3 * MINUTE]


def test_after_a_skip_the_window_reaches_back_to_the_last_job(run: Any) -> None:
    planned_schedule()
    run(NOON + MINUTE)
    run(NOON + 2 * MINUTE)
    finish_all()
    run(NOON + 3 * MINUTE)

    context = Job.objects.latest("pk").context
    assert context["last_due_at"] == (NOON + MINUTE).isoformat()
    assert context["due_at"] == (NOON + 3 * MINUTE).isoformat()


def test_a_schedule_that_used_to_queue_skips_because_of_what_it_had_queued(run: Any) -> None:
    planned_schedule(overlap=Overlap.QUEUE)
    run(NOON + MINUTE)
    Schedule.objects.update(overlap=Overlap.SKIP)
    run(NOON + 2 * MINUTE)

    assert (stored().skipped, Job.objects.count()) == (1, 1)


def test_jobs_may_queue_up(run: Any) -> None:
    planned_schedule(overlap=Overlap.QUEUE)
    for minutes in (1, 2, 3):
        run(NOON + minutes * MINUTE)

    assert Job.objects.ready().count() == 3
    assert stored().skipped == 0


def test_the_next_job_may_replace_the_last(run: Any) -> None:
    planned_schedule(overlap=Overlap.REPLACE)
    other = planned_schedule(name="other", next_fire_at=NOON + MINUTE)
    for minutes in (1, 2):
        run(NOON + minutes * MINUTE)

    replaced, replacing = Job.objects.exclude(schedule=other).order_by("pk")
    assert (replaced.state, replacing.state) == (State.CANCELLED, State.READY)
    assert "replaced" in replaced.cancel_reason
    assert replaced.cancelled_by == "schedule every minute"
    assert Job.objects.get(schedule=other).state == State.READY


def test_a_name_of_any_length_may_replace(run: Any) -> None:
    planned_schedule(name="n" * 200, overlap=Overlap.REPLACE)
    for minutes in (1, 2):
        run(NOON + minutes * MINUTE)

    assert set(Job.objects.values_list("state", flat=True)) == {State.CANCELLED, State.READY}


@pytest.mark.parametrize(
    ("catch_up", "moments"),
    [
        ("skip", []),
        ("once", [HOUR * 3]),
        ("all", [MINUTE * minutes for minutes in range(3 * 60 - 99, 3 * 60 + 1)]),
    ],
)
def test_an_outage_of_three_hours_is_made_good_as_the_policy_says(
    run: Any, catch_up: str, moments: list[timedelta]
) -> None:
    planned_schedule(catch_up=catch_up, overlap=Overlap.QUEUE)
    run(NOON + 3 * HOUR + 45 * SECOND)
    run(NOON + 3 * HOUR + 46 * SECOND)

    assert due_moments() == [NOON + moment for moment in moments]
    assert stored().next_fire_at == NOON + 3 * HOUR + MINUTE


def test_the_jobs_of_missed_moments_have_windows_without_gaps(run: Any) -> None:
    planned_schedule(expression="0 * * * *", catch_up="all", overlap=Overlap.QUEUE)
    Schedule.objects.update(next_fire_at=NOON, last_fired_at=NOON - HOUR)
    run(NOON + 3 * HOUR + MINUTE)

    contexts = [made.context for made in Job.objects.order_by("pk")]
    windows = [(context["last_due_at"], context["due_at"]) for context in contexts]
    hours = [(NOON + hours * HOUR).isoformat() for hours in range(-1, 4)]
    assert windows == [*itertools.pairwise(hours)]


def test_one_job_for_many_moments_has_them_all_in_its_window(run: Any) -> None:
    planned_schedule(last_fired_at=NOON)
    run(NOON + 3 * HOUR + 45 * SECOND)

    context = Job.objects.get().context
    assert (context["last_due_at"], context["due_at"]) == (
        NOON.isoformat(),
        (NOON + 3 * HOUR).isoformat(),
    )


@pytest.mark.parametrize("catch_up", ["skip", "once", "all"])
def test_what_is_late_by_no_more_than_a_change_of_leader_is_not_missed(
    run: Any, catch_up: str
) -> None:
    planned_schedule(expression="@every 5s", catch_up=catch_up, overlap=Overlap.QUEUE)
    run(NOON + MINUTE + 30 * SECOND)

    assert due_moments() == [NOON + MINUTE + 5 * number * SECOND for number in range(7)]


def test_what_fires_now_stands_for_what_was_missed(run: Any) -> None:
    planned_schedule(expression="@every 20s", catch_up="once", overlap=Overlap.QUEUE)
    run(NOON + 3 * HOUR)

    timely = [NOON + 3 * HOUR - 20 * SECOND, NOON + 3 * HOUR]
    assert due_moments() == timely


def test_an_outage_of_a_year_of_seconds_is_quickly_looked_through(run: Any) -> None:
    planned_schedule(expression="* * * * * *", catch_up="all", overlap=Overlap.QUEUE)
    year = timedelta(days=365)
    run(NOON + year)

    last_missed = NOON + year - 31 * SECOND
    assert due_moments() == [last_missed + number * SECOND for number in range(-99, 32)]


def test_jitter_puts_jobs_off_by_the_same_each_time_it_is_asked(run: Any) -> None:
    planned_schedule(jitter_seconds=30.0, overlap=Overlap.QUEUE)
    row = stored()
    for minutes in range(1, 41):
        run(NOON + minutes * MINUTE)
    lags = [
        made.run_at - datetime.fromisoformat(made.context["due_at"]) for made in Job.objects.all()
    ]

    assert all(timedelta(0) <= lag <= 30 * SECOND for lag in lags)
    assert max(lags) - min(lags) > 10 * SECOND
    assert Job.objects.filter(state=State.SCHEDULED).count() >= 39

    Job.objects.all().delete()
    Schedule.objects.update(next_fire_at=row.next_fire_at)
    run(NOON + MINUTE)
    assert Job.objects.get().run_at == NOON + MINUTE + lags[0]


def test_nothing_is_due_before_it_starts(run: Any) -> None:
    planned_schedule(next_fire_at=None, starts_at=NOON + HOUR)
    run(NOON)

    assert stored().next_fire_at == NOON + HOUR


def test_a_schedule_that_has_ended_is_over_and_not_looked_at_again(
    run: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    planned_schedule(ends_at=NOON + 90 * SECOND)
    run(NOON + MINUTE)

    assert (stored().is_over, stored().next_fire_at) == (True, None)
    assert due_moments() == [NOON + MINUTE]
    assert run(NOON + HOUR) == 0
    with django_assert_num_queries(1):
        assert run(NOON + HOUR + SECOND) == 0


def test_one_that_is_new_and_has_ended_already_is_over(run: Any) -> None:
    planned_schedule(next_fire_at=None, ends_at=NOON - HOUR)

    assert [run(NOON), run(NOON)] == [1, 0]
    assert stored().is_over


def test_missed_moments_after_the_end_are_none(run: Any) -> None:
    planned_schedule(ends_at=NOON + 2 * MINUTE, catch_up="all", overlap=Overlap.QUEUE)
    run(NOON + 3 * HOUR)

    assert due_moments() == [NOON + MINUTE, NOON + 2 * MINUTE]


@pytest.mark.parametrize("column", ["expression", "timezone"])
@pytest.mark.parametrize("next_fire_at", [None, NOON])
def test_one_that_can_not_be_read_disables_itself_and_the_others_carry_on(
    run: Any, column: str, next_fire_at: datetime | None
) -> None:
    planned_schedule(next_fire_at=next_fire_at, **{column: "nonsense"})
    planned_schedule(name="good")
    with heard(signals.schedule_failed) as failures:
        run(NOON + MINUTE)
        run(NOON + MINUTE)

    bad = Schedule.objects.get(name="every minute")
    assert (bad.is_enabled, bad.next_fire_at) == (False, None)
    assert "nonsense" in bad.last_error or "1 field" in bad.last_error
    assert [failure["schedule"] for failure in failures] == [bad]
    assert Job.objects.get().context["schedule"] == "good"


@pytest.mark.parametrize(
    ("columns", "said"),
    [({"payload": {"surplus": 1}}, "surplus"), ({"queue": "nowhere"}, "nowhere")],
)
def test_a_moment_whose_job_is_refused_is_given_up_and_the_others_carry_on(
    run: Any, columns: dict[str, Any], said: str
) -> None:
    planned_schedule(**columns)
    planned_schedule(name="good", overlap=Overlap.QUEUE)
    with heard(signals.schedule_failed) as failures:
        run(NOON + MINUTE)
        run(NOON + 2 * MINUTE)

    bad = Schedule.objects.get(name="every minute")
    assert (bad.is_enabled, bad.next_fire_at) == (True, NOON + 3 * MINUTE)
    assert said in bad.last_error
    assert (bad.last_fired_at, len(failures)) == (None, 2)
    assert due_moments() == [NOON + MINUTE, NOON + 2 * MINUTE]


def test_the_error_is_gone_when_a_job_can_be_made_again(run: Any) -> None:
    row = planned_schedule(queue="nowhere")
    run(NOON + MINUTE)
    row.queue = "other"
    row.save()
    run(NOON + 2 * MINUTE)

    assert (stored().last_error, due_moments()) == ("", [NOON + 2 * MINUTE])


def test_a_handler_whose_check_is_broken_costs_only_its_own_moments(run: Any) -> None:
    @job(kind="app.broken", concurrency_key=lambda payload: payload["missing"])
    def broken() -> None: ...

    planned_schedule(kind="app.broken")
    planned_schedule(name="good")
    run(NOON + MINUTE)

    assert due_moments() == [NOON + MINUTE]
    assert "missing" in Schedule.objects.get(kind="app.broken").last_error


def test_an_error_of_the_database_is_no_schedule_s_fault(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned_schedule()

    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(scheduler, "fire", down)
        with pytest.raises(OperationalError):
            run(NOON + MINUTE)
    assert (stored().next_fire_at, stored().last_error) == (NOON + MINUTE, "")

    run(NOON + MINUTE)
    assert due_moments() == [NOON + MINUTE]


@pytest.mark.parametrize("error", [DataError, IntegrityError])
def test_what_the_database_will_not_store_costs_only_its_own_moment(
    run: Any, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    planned_schedule()
    planned_schedule(name="good")
    fire = firing.fire

    def refused(row: Schedule, **moment: Any) -> bool:
        if row.name == "good":
            return fire(row, **moment)
        raise error("it is too\0long")

    monkeypatch.setattr(scheduler, "fire", refused)
    run(NOON + MINUTE)

    assert due_moments() == [NOON + MINUTE]
    refusing = Schedule.objects.get(name="every minute")
    assert refusing.next_fire_at == NOON + 2 * MINUTE
    assert "too\N{SYMBOL FOR NULL}long" in refusing.last_error


@pytest.fixture
def declared() -> FunctionHandler[..., None]:
    @job(kind="app.declared", schedules=[schedule("0 3 * * *", name="nightly")])
    def handler() -> None: ...

    return handler


@pytest.mark.usefixtures("declared")
def test_what_code_declares_is_stored_by_the_first_pass_of_a_process(run: Any) -> None:
    run(NOON)
    row = stored()
    assert (row.name, row.kind, row.source) == ("nightly", "app.declared", Source.CODE)
    assert row.next_fire_at

    row.delete()
    run(NOON + SECOND)
    assert not Schedule.objects.exists()


def test_what_code_no_longer_declares_is_disabled_and_comes_back(
    declared: FunctionHandler[..., None],
) -> None:
    Scheduler().run_once(now=NOON)
    declared.schedules = ()
    Scheduler().run_once(now=NOON + MINUTE)
    assert not stored().is_enabled

    declared.schedules = [schedule("0 4 * * *", name="nightly")]
    Scheduler().run_once(now=NOON + MINUTE)
    assert (stored().is_enabled, stored().expression) == (True, "0 4 * * *")


@pytest.mark.usefixtures("declared")
def test_what_another_leader_undid_is_done_again(run: Any) -> None:
    run(NOON)
    Schedule.objects.abandon(declared=[])  # as one does whose version knows only its own code
    run(NOON + MINUTE)
    assert stored().is_enabled


def test_settings_declare_schedules(run: Any, settings: Any) -> None:
    nightly = {"kind": "app.noop", "cron": "0 3 * * *", "timezone": "Europe/Berlin"}
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "SCHEDULES": {"nightly": nightly}}
    run(NOON)

    assert (stored().name, stored().kind, stored().timezone) == (
        "nightly",
        "app.noop",
        "Europe/Berlin",
    )


def test_a_trigger_makes_a_job_now_and_leaves_the_plan_alone(manual_clock: ManualClock) -> None:
    row = planned_schedule(last_fired_at=NOON - MINUTE, queue="other", is_enabled=False)
    made = row.trigger(by="alice")

    assert made
    assert made.schedule == row
    assert made.queue == "other"
    assert Job.objects.get().context == {
        "schedule": "every minute",
        "due_at": NOON.isoformat(),
        "last_due_at": (NOON - MINUTE).isoformat(),
        "origin": "trigger",
        "by": "alice",
    }
    assert (stored().next_fire_at, stored().last_fired_at) == (NOON + MINUTE, NOON - MINUTE)


def test_a_trigger_respects_what_is_unfinished(run: Any) -> None:
    row = planned_schedule()
    run(NOON + MINUTE)

    assert row.trigger() is None
    finish_all()
    assert row.trigger() is not None
    run(NOON + 2 * MINUTE)
    assert stored().skipped == 1


def test_a_trigger_may_replace_what_is_unfinished() -> None:
    row = planned_schedule(overlap=Overlap.REPLACE)
    first, second = row.trigger(), row.trigger()

    assert first
    assert second
    assert Job.objects.get(pk=first.pk).state == State.CANCELLED
    assert Job.objects.get(pk=second.pk).state == State.READY
