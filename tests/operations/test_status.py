"""The status: how many jobs are where, for how long, who serves them, and what is amiss."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from forge_jobs.models import Lease, Process, ProcessState, State
from forge_jobs.models.lease import SERVICES
from forge_jobs.operations import status
from forge_jobs.operations.ailments import ailments
from forge_jobs.operations.status import QueueStatus, Status, Unserved, unserved
from tests.conftest import NOON
from tests.factories import process_named
from tests.plans import walks
from tests.rows import claim, finished_job, stored_job

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
QUEUES = ["default", "images", "other", "publish"]
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")


def serving(name: str = "here", **columns: Any) -> Process:
    """A process that beats, and does all that the tests' jobs need."""
    usual = {"queues": QUEUES, "kinds": ["app.noop", "app.fail"]}
    return process_named(name, **usual | columns)


def queue_status(name: str = "default") -> QueueStatus:
    return {queue.name: queue for queue in Status.read(now=NOON).queues}[name]


def test_jobs_are_counted_by_queue_and_state() -> None:
    stored_job()
    claim(process_named("here"))
    for state in (State.READY, State.READY, State.SCHEDULED, State.RETRYING, State.HELD):
        stored_job(state=state)
    for state in (State.SUCCEEDED, State.DEAD, State.DEAD, State.CANCELLED):
        finished_job(state)
    stored_job(queue="other")

    assert queue_status().counts == {
        State.SCHEDULED: 1,
        State.READY: 2,
        State.HELD: 1,
        State.RUNNING: 1,
        State.RETRYING: 1,
        State.SUCCEEDED: 1,
        State.DEAD: 2,
        State.CANCELLED: 1,
    }
    assert queue_status("other").counts == {State.READY: 1}


def test_declared_queues_are_told_though_empty_and_others_while_they_have_jobs() -> None:
    stored_job(queue="former")

    assert [queue.name for queue in Status.read(now=NOON).queues] == [
        *QUEUES[:1],
        "former",
        *QUEUES[1:],
    ]


def test_the_lag_is_how_long_the_oldest_ready_job_has_waited_whatever_its_priority() -> None:
    for priority, minutes in ((10, 1), (10, 2), (0, 7), (0, 3), (-10, 5)):
        stored_job(priority=priority, run_at=NOON - minutes * MINUTE)
    stored_job(queue="other", run_at=NOON - 9 * MINUTE)

    assert queue_status().lag == 7 * MINUTE


def test_only_ready_jobs_lag() -> None:
    for state in (State.SCHEDULED, State.RETRYING):
        stored_job(state=state, run_at=NOON - MINUTE)
    stored_job(run_at=NOON - MINUTE)
    claim(process_named("here"))

    assert queue_status().lag == timedelta(0)


def test_a_job_of_a_clock_that_is_ahead_does_not_lag() -> None:
    stored_job(run_at=NOON + MINUTE)

    assert queue_status().lag == timedelta(0)


def test_a_queue_that_a_live_process_names_is_served() -> None:
    serving(queues=["default"])

    assert queue_status("default").is_served
    assert not queue_status("other").is_served


@pytest.mark.parametrize(
    "absent",
    [
        {"heartbeat_at": NOON - 31 * SECOND},
        {"heartbeat_at": NOON + 31 * SECOND},
        {"heartbeat_at": NOON + 59 * 60 * SECOND},
        {"state": ProcessState.QUIET},
        {"state": ProcessState.STOPPING},
    ],
    ids=["silent", "ahead", "far ahead", "quiet", "stopping"],
)
def test_a_process_that_does_not_claim_serves_nothing(absent: dict[str, Any]) -> None:
    serving(**absent)
    stored_job()

    assert not queue_status().is_served
    assert unserved(now=NOON) == [Unserved("default")]


@pytest.mark.parametrize("off", [-30, 30])
def test_a_process_that_was_heard_of_lately_serves(off: int) -> None:
    serving(heartbeat_at=NOON + off * SECOND)
    stored_job()

    assert unserved(now=NOON) == []


def test_a_kind_that_no_process_of_the_queue_knows_is_unserved() -> None:
    serving("here", queues=["default"], kinds=["app.noop"])
    serving("there", queues=["other"], kinds=["app.fail"])
    for kind in ("app.noop", "app.fail", "app.gone"):
        stored_job(kind=kind)

    assert unserved(now=NOON) == [Unserved("default", "app.fail"), Unserved("default", "app.gone")]


def test_what_nobody_serves_is_told_in_sentences() -> None:
    assert str(Unserved("mail")) == "No live process serves queue mail."
    assert str(Unserved("mail", "a.b")) == "No live process of queue mail knows the kind a.b."


def test_jobs_that_are_not_ready_need_nobody() -> None:
    stored_job(state=State.SCHEDULED)
    finished_job()

    assert unserved(now=NOON) == []


def test_kinds_are_looked_for_in_front_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "FRONT", 1)
    serving()
    stored_job()
    stored_job(kind="app.gone", priority=-1)

    assert unserved(now=NOON) == []


@pytest.mark.parametrize(("left", "leader"), [(SECOND, "there"), (timedelta(0), "")])
def test_the_leader_is_whoever_holds_the_lease(left: timedelta, leader: str) -> None:
    serving("here")
    Lease.objects.take(SERVICES, process=serving("there"), now=NOON - MINUTE, life=MINUTE + left)

    assert Status.read(now=NOON).leader == leader


def test_nobody_leads_when_the_leader_is_forgotten() -> None:
    Lease.objects.take(SERVICES, process=(gone := serving()), now=NOON, life=MINUTE)
    gone.delete()

    assert Status.read(now=NOON).leader == ""


def ailing(*, max_lag: timedelta = MINUTE) -> list[str]:
    return ailments(now=NOON, max_lag=max_lag)


def test_all_is_well_where_a_process_serves() -> None:
    serving()
    stored_job(run_at=NOON - timedelta(hours=1))

    assert ailing() == []


def test_it_is_an_ailment_that_nobody_was_heard_of() -> None:
    serving(heartbeat_at=NOON - MINUTE)

    assert ailing() == ["No process beats, or none has for 30 s."]


def test_it_is_an_ailment_that_those_who_are_heard_of_claim_nothing() -> None:
    serving("here", state=ProcessState.QUIET)
    serving("there", state=ProcessState.STOPPING)

    assert ailing() == ["No process claims jobs: here is quiet, there is stopping."]


@pytest.mark.parametrize(("waited", "sentences"), [(60, 0), (61, 1)])
def test_a_queue_without_process_is_an_ailment_once_its_jobs_have_waited(
    waited: int, sentences: int
) -> None:
    serving(queues=["other"])
    stored_job(run_at=NOON - waited * SECOND)

    sentence = "No live process serves queue default. Jobs have waited for 1 min 1 s."
    assert ailing() == [sentence] * sentences


def test_a_kind_that_nobody_knows_is_an_ailment_by_its_own_lag() -> None:
    serving()
    stored_job(run_at=NOON - timedelta(hours=1))
    stored_job(kind="app.gone", run_at=NOON - MINUTE)

    sentence = "No live process of queue default knows the kind app.gone. Jobs have waited for"
    assert ailing() == []
    assert ailing(max_lag=SECOND) == [f"{sentence} 1 min 0 s."]


def test_it_is_an_ailment_that_jobs_wait_while_every_server_is_in_trouble() -> None:
    serving("here", trouble="no thread is left.")
    stored_job(run_at=NOON - timedelta(hours=1))

    (sentence,) = ailing()
    assert "queue default have waited for 1 h 0 min" in sentence
    assert "here: no thread is left." in sentence
    serving("there")
    assert ailing() == []


@on_sqlite
@pytest.mark.parametrize(
    "look", [lambda: Status.read(now=NOON), ailing], ids=["status", "ailments"]
)
def test_no_look_reads_the_whole_table(look: Callable[[], object]) -> None:
    serving(trouble="no thread is left.")
    stored_job(run_at=NOON - timedelta(hours=1))
    stored_job(kind="app.gone", run_at=NOON - timedelta(hours=1))
    finished_job()

    assert walks(look) == []


def test_the_number_of_queries_does_not_grow_with_the_jobs(
    django_assert_max_num_queries: Any,
) -> None:
    serving()
    for number in range(50):
        stored_job(priority=number % 2)
        finished_job()

    with django_assert_max_num_queries(25):
        Status.read(now=NOON)
