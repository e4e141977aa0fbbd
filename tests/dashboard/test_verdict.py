"""The verdict on top of the pages: what `jobs health` says, and what may come to that."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from forge_jobs import clock
from forge_jobs.clock import ManualClock
from forge_jobs.dashboard.verdict import Verdict
from forge_jobs.models import Queue, Schedule
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
QUEUES = ["default", "images", "other", "publish"]


def serving() -> None:
    process_named("here", queues=QUEUES, kinds=["app.noop"])


def ailments() -> list[str]:
    return list(Verdict.read(now=NOON).ailments)


def late_schedule(name: str, *, by: timedelta, **columns: bool) -> None:
    Schedule.objects.create(
        name=name, kind="app.noop", expression="* * * * *", next_fire_at=NOON - by, **columns
    )


def test_all_is_well_while_somebody_serves() -> None:
    serving()
    stored_job(run_at=NOON - 5 * MINUTE)

    assert Verdict.read(now=NOON) == Verdict(ailments=[], notes=[])


def test_without_a_live_process_all_is_not_well() -> None:
    process_named("gone", queues=QUEUES, heartbeat_at=NOON - MINUTE)

    assert ailments() == ["No process beats, or none has for 30 s."]


def test_a_queue_that_nobody_serves_is_a_note_until_its_jobs_have_waited() -> None:
    serving()
    stored_job(queue="mail", run_at=NOON - 59 * SECOND)

    told = "No live process serves queue mail."
    assert Verdict.read(now=NOON) == Verdict(ailments=[], notes=[told])
    late = Verdict.read(now=NOON + 2 * SECOND)
    assert late == Verdict(ailments=[f"{told} Jobs have waited for 1 min 1 s."], notes=[])


def test_a_process_in_trouble_is_a_note() -> None:
    process_named("here", queues=QUEUES, kinds=["app.noop"], trouble="Its clock has jumped.")

    assert Verdict.read(now=NOON).notes == ["here: Its clock has jumped."]


def test_schedules_that_are_late_are_told_by_the_first() -> None:
    serving()
    late_schedule("nightly", by=61 * SECOND)
    late_schedule("soon", by=59 * SECOND)
    late_schedule("disabled", by=5 * MINUTE, is_enabled=False)
    assert ailments() == ["Schedule nightly is late: it has been due for 1 min 1 s."]

    late_schedule("daily", by=2 * MINUTE)
    late = "Schedule daily is late: it has been due for 2 min 0 s."
    assert ailments() == [f"{late} So has one other."]
    late_schedule("weekly", by=90 * SECOND)
    assert ailments()[0].endswith(" So have 2 others.")


def test_a_queue_with_a_budget_that_does_not_exist_is_stuck() -> None:
    serving()
    Queue.objects.create(name="mail", budget="gone")
    process_named("there", queues=["mail"], kinds=["app.noop"])
    stored_job(queue="mail", run_at=NOON - 2 * MINUTE)

    assert ailments() == [
        "Jobs of queue mail have waited for 2 min 0 s, and it spends the budget gone, which does "
        "not exist."
    ]


def test_a_paused_queue_is_meant_to_wait() -> None:
    serving()
    Queue.objects.create(name="default", is_paused=True, budget="gone")
    stored_job(run_at=NOON - 2 * MINUTE)

    assert ailments() == []


def test_it_is_the_sentence_of_the_command(manual_clock: ManualClock) -> None:
    late_schedule("nightly", by=61 * SECOND)
    stored_job(queue="mail", run_at=NOON - 2 * MINUTE)

    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("jobs", "health", stdout=said)
    assert said.getvalue().splitlines() == Verdict.read(now=clock.now()).ailments
