"""`manage.py jobs batch`: batches by hand."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError

from forge_jobs.models import Batch, BatchState, Job, State
from tests.commands.conftest import Jobs
from tests.conftest import NOON
from tests.rows import finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]


@pytest.fixture
def half() -> Batch:
    """An open batch of which one job is dead, and one is left."""
    row: Batch = Batch.objects.create(name="import", opened_at=NOON - timedelta(minutes=1))
    finished_job(State.DEAD, batch=row)
    stored_job(batch=row)
    return row


def state_of(row: Batch) -> str:
    row.refresh_from_db()
    return row.state


def test_batches_are_listed_with_how_far_they_are(jobs: Jobs, half: Batch) -> None:
    lines = jobs("batch", "list").out.splitlines()

    assert lines[0].split() == ["id", "batch", "state", "done", "opened", "ends", "jobs"]
    assert lines[1].split() == [
        *(str(half.pk), "import", "open", "50", "%", "1", "min", "0", "s", "ago", "-"),
        *("1", "dead,", "1", "ready"),
    ]
    assert "There are no such batches." in jobs("batch", "list", "--state", "failed").out
    assert jobs("batch", "list", "--limit", "1").out.count("\n") == 2


def test_a_program_reads_them_as_json(jobs: Jobs, half: Batch) -> None:
    half.seal(now=NOON)
    Batch.objects.create(name="part", parent=half)
    told = json.loads(jobs("batch", "show", str(half.pk), "--json").out)

    assert (told["name"], told["state"], told["percent"], told["left"]) == (
        *("import", "sealed", 33, 1),
    )
    assert told["counts"] == {"dead": 1, "ready": 1}
    assert told["expected_end_at"] == "2026-03-02T12:02:00+00:00"
    assert [part["name"] for part in told["parts"]] == ["part"]
    assert len(json.loads(jobs("batch", "list", "--json").out)) == 2


def test_one_is_shown_with_its_parts(jobs: Jobs, half: Batch) -> None:
    Batch.objects.create(name="January", parent=half)
    said = jobs("batch", "show", str(half.pk)).out

    assert "parts   0 of 1 ended" in said
    assert "January" in said


def test_nothing_is_done_before_one_says_so(jobs: Jobs, half: Batch) -> None:
    pk = str(half.pk)

    assert jobs("batch", "cancel", pk).out == (
        f"Would cancel 1 job of {half}. Add --yes to do it.\n"
    )
    assert jobs("batch", "requeue", pk).out == (
        f"Would requeue 1 job of {half}. Add --yes to do it.\n"
    )
    assert jobs("batch", "seal", pk).out == f"Would seal {half}. Add --yes to do it.\n"
    assert state_of(half) == BatchState.OPEN
    assert half.all_jobs().counts() == {"dead": 1, "ready": 1}


def test_it_is_sealed_requeued_and_cancelled(jobs: Jobs, half: Batch) -> None:
    pk = str(half.pk)

    assert jobs("batch", "seal", pk, "--yes").out == f"{half} is sealed.\n"
    assert jobs("batch", "requeue", pk, "--yes").out == f"1 job of {half} requeued.\n"
    said = jobs("batch", "cancel", "--yes", "--reason", "the wrong file", pk).out
    assert said == f"2 jobs of {half} cancelled, or asked to stop.\n"
    assert {job.cancel_reason for job in half.all_jobs()} == {"the wrong file"}


def test_what_can_no_longer_be_done_is_refused(jobs: Jobs) -> None:
    row = Batch.objects.create(name="old", state=BatchState.FAILED, ended_at=NOON, counts={})
    with pytest.raises(CommandError, match="has ended: it is failed"):
        jobs("batch", "cancel", str(row.pk), "--yes")
    with pytest.raises(CommandError, match="is failed already"):
        jobs("batch", "seal", str(row.pk), "--yes")


@pytest.mark.parametrize("given", ["import", "0", "-1", "9" * 30])
def test_what_is_no_id_is_refused(jobs: Jobs, given: str) -> None:
    with pytest.raises(CommandError, match=r"is no batch's id|required"):
        jobs("batch", "show", given)


def test_a_batch_that_is_not_there_is_refused(jobs: Jobs) -> None:
    with pytest.raises(CommandError, match="There is no batch with the id 4711"):
        jobs("batch", "show", "4711")


def test_its_jobs_are_listed_and_steered(jobs: Jobs, half: Batch) -> None:
    other = stored_job()
    listed = json.loads(jobs("list", "--batch", str(half.pk), "--json").out)
    jobs("cancel", "--batch", str(half.pk), "--yes")

    assert {one["id"] for one in listed} == set(half.all_jobs().values_list("pk", flat=True))
    assert half.all_jobs().counts() == {"dead": 1, "cancelled": 1}
    assert Job.objects.get(pk=other.pk).state == State.READY
