"""Operations: the jobs that an operator means, and what is said of them before and after."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from forge_jobs.models import Job, JobLabel, Process, State
from forge_jobs.operations.bulk import Cancel, Operation, Purge, Retry, Selection
from forge_jobs.states import TERMINAL, UNFINISHED
from tests.conftest import NOON
from tests.factories import process_named
from tests.plans import walks
from tests.rows import claim, finished_job, stored_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")


@pytest.fixture
def process() -> Process:
    return process_named("here")


def finished(**filters: Any) -> set[Job]:
    return set(Selection(**{"states": TERMINAL} | filters).finished(now=NOON))


def unfinished(**filters: Any) -> set[Job]:
    return set(Selection(**{"states": UNFINISHED} | filters).unfinished(now=NOON))


def test_a_selection_that_says_nothing_means_all_jobs_of_its_states() -> None:
    dead, ready = finished_job(), stored_job()
    finished_job(State.SUCCEEDED)

    assert finished(states=[State.DEAD]) == {dead}
    assert unfinished() == {ready}


def test_jobs_are_selected_by_id_and_queue() -> None:
    jobs = [finished_job(queue=queue) for queue in ("default", "other", "other")]

    assert finished(ids=[jobs[0].pk, jobs[1].pk]) == {jobs[0], jobs[1]}
    assert finished(queue="other") == {jobs[1], jobs[2]}
    assert finished(ids=[jobs[0].pk, jobs[1].pk], queue="other") == {jobs[1]}


def test_jobs_are_selected_by_a_label() -> None:
    jobs = [stored_job(), stored_job(queue="other"), stored_job()]
    JobLabel.objects.put((job.pk, ["customer:7"]) for job in jobs[:2])

    assert unfinished(label="customer:7") == {jobs[0], jobs[1]}
    assert unfinished(label="customer:7", queue="other") == {jobs[1]}
    assert unfinished(label="customer:*") == set()
    selection = Selection(states=UNFINISHED, label="customer:7")
    assert Cancel(selection, "gone").carry_out(now=NOON) == "2 jobs cancelled."
    assert Job.objects.unfinished().get() == jobs[2]


def test_a_kind_is_matched_exactly_or_by_its_beginning() -> None:
    jobs = {
        kind: finished_job(kind=kind) for kind in ("app.no", "app.noop", "APP.noop", "app_no", "a%")
    }

    assert finished(kind="app.no") == {jobs["app.no"]}
    assert finished(kind="app.no*") == {jobs["app.no"], jobs["app.noop"]}
    assert finished(kind="app_*") == {jobs["app_no"]}
    assert finished(kind="a%*") == {jobs["a%"]}
    assert finished(kind="*") == set(jobs.values())


def test_a_part_of_the_last_error_is_matched_as_it_is_spelled() -> None:
    timeout = finished_job(last_error="gave up: Timeout 100%")
    finished_job(last_error="gave up: timeout")

    assert finished(error="Timeout") == {timeout}
    assert finished(error="100%") == {timeout}
    assert finished(error="1_0") == set()


def test_a_finished_job_is_as_old_as_its_end() -> None:
    old, new = (finished_job(finished_at=NOON - minutes * MINUTE) for minutes in (9, 1))

    assert finished(older_than=5 * MINUTE) == {old}
    assert finished(newer_than=5 * MINUTE) == {new}
    assert finished(older_than=5 * MINUTE, newer_than=7 * MINUTE) == set()


def test_an_unfinished_job_is_as_old_as_its_enqueue() -> None:
    old, new = (stored_job(enqueued_at=NOON - minutes * MINUTE) for minutes in (9, 1))

    assert unfinished(older_than=5 * MINUTE) == {old}
    assert unfinished(newer_than=5 * MINUTE) == {new}


def test_ids_that_are_left_out_are_told_with_the_reason() -> None:
    dead, ready = finished_job(), stored_job()
    selection = Selection(states=TERMINAL, ids=[ready.pk + 1, ready.pk, dead.pk])

    assert selection.left_out() == [f"#{ready.pk} (ready)", f"#{ready.pk + 1} (no such job)"]


def retry() -> Retry:
    return Retry(Selection(states=TERMINAL))


def test_a_retry_says_how_many_were_passed_over_for_their_dedupe_key() -> None:
    finished_job()
    finished_job(dedupe_key="taken")
    stored_job(dedupe_key="taken")

    told = ", 1 passed over because an unfinished job has its dedupe key."
    assert retry().preview(now=NOON) == f"1 job would be requeued{told}"
    assert retry().carry_out(now=NOON) == f"1 job requeued{told}"


def test_a_retry_counts_jobs_with_one_dedupe_key_once() -> None:
    for _ in range(3):
        finished_job(dedupe_key="one")

    told = ", 2 passed over because an unfinished job has their dedupe keys."
    assert retry().preview(now=NOON) == f"1 job would be requeued{told}"
    assert retry().carry_out(now=NOON) == f"1 job requeued{told}"


def test_a_cancel_tells_jobs_that_wait_from_those_that_run(process: Process) -> None:
    stored_job()
    stored_job()
    claim(process, limit=1)
    stored_job(state=State.RETRYING)
    finished_job()
    cancel = Cancel(Selection(states=UNFINISHED), "enough")

    told = "2 jobs would be cancelled, 1 running job would be asked to stop."
    assert cancel.preview(now=NOON) == told
    assert cancel.carry_out(now=NOON) == "2 jobs cancelled, 1 running job asked to stop."
    assert cancel.preview(now=NOON) == "0 jobs would be cancelled."
    assert cancel.carry_out(now=NOON + MINUTE) == "0 jobs cancelled."
    assert set(Job.objects.unfinished().values_list("state", flat=True)) == {State.RUNNING}


def test_a_purge_says_how_many() -> None:
    for _ in range(1_001):
        finished_job(State.SUCCEEDED)
    purge = Purge(Selection(states=Purge.usual))

    assert purge.preview(now=NOON) == "1,001 jobs would be purged."
    assert purge.carry_out(now=NOON) == "1,001 jobs purged."
    assert not Job.objects.exists()


@pytest.mark.parametrize("operation", [Retry, Cancel, Purge])
def test_every_usual_state_is_an_allowed_one(operation: type[Operation]) -> None:
    assert set(operation.usual) <= set(operation.allowed)


@on_sqlite
@pytest.mark.parametrize(
    "filters", [{}, {"queue": "default"}, {"older_than": MINUTE, "error": "no"}], ids=str
)
@pytest.mark.parametrize(
    "operation",
    [Retry, lambda selection: Cancel(selection, "enough"), Purge],
    ids=["retry", "cancel", "purge"],
)
def test_no_preview_reads_the_whole_table(operation: Any, filters: dict[str, Any]) -> None:
    states = UNFINISHED if operation not in (Retry, Purge) else TERMINAL

    assert walks(lambda: operation(Selection(states=states, **filters)).preview(now=NOON)) == []
