"""What a handler tells of its progress can be seen while it runs, and after."""

from contextlib import nullcontext
from threading import Event
from typing import Any

import pytest

from forge_jobs import JobContext, job
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, State
from forge_jobs.runtime.running.progress import ProgressWriter
from forge_jobs.runtime.running.run import Run
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


def stored() -> Any:
    return Job.objects.values_list("progress", flat=True).get()


def context() -> JobContext:
    job = ClaimedJob(1, "default", "app.noop", "{}", "{}", 0, None, 1, 5, None, claimed_at="then")
    return Run(job, process_name="here").context


def test_progress_is_seen_while_the_handler_runs() -> None:
    go_on = Event()

    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        ctx.progress(3, 10, "reading")
        go_on.wait(PATIENCE)

    subject.enqueue()
    with running(engine()):
        eventually(lambda: stored() == {"done": 3, "total": 10, "message": "reading"})
        assert Job.objects.get().state == State.RUNNING
        go_on.set()


@pytest.mark.parametrize("atomic", [False, True])
def test_the_last_progress_is_stored_with_the_outcome(atomic: bool) -> None:
    @job(kind="tests.subject", takes_context=True, atomic=atomic)
    def subject(ctx: JobContext) -> None:
        for done in range(1_001):
            ctx.progress(done, 1_000)

    subject.enqueue()
    drain()

    assert stored() == {"done": 1_000, "total": 1_000, "message": ""}


def test_a_failure_keeps_how_far_it_came() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        ctx.progress(0.5)
        raise LookupError

    subject.enqueue()
    drain()

    assert Job.objects.get().state == State.RETRYING
    assert stored() == {"done": 0.5, "total": None, "message": ""}


def test_a_job_that_tells_nothing_has_no_progress() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        pass

    subject.enqueue()
    drain()

    assert stored() is None


def test_a_requeued_job_starts_without_progress() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        ctx.progress(1)

    subject.enqueue()
    drain()
    assert Job.objects.get().requeue()

    assert stored() is None


def test_a_process_that_lost_its_claim_does_not_write_into_another_s_run() -> None:
    go_on = Event()

    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        go_on.wait(PATIENCE)

    subject.enqueue()
    with running(engine()) as working:
        eventually(lambda: bool(working.workers.runs()))
        (run,) = working.workers.runs()
        late = Run(run.job._replace(claimed_at="2000-01-01 00:00:00"), process_name="tested")
        late.context.progress(1)
        service = ProgressWriter(working.process, working.workers, writing=nullcontext())
        working.workers.runs = lambda: [late]  # type: ignore[method-assign] # for one that is late
        service.run_once(now=run.job.started_at)
        del working.workers.runs
        assert stored() is None
        go_on.set()


def test_a_message_is_cut_to_what_fits_and_to_what_can_be_stored() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        ctx.progress(1, message="\0" + "long" * 1_000)

    subject.enqueue()
    drain()

    assert len(stored()["message"]) < 300


@pytest.mark.parametrize("done", [float("nan"), float("inf")])
def test_what_is_no_finite_number_is_refused(done: float) -> None:
    with pytest.raises(ValueError, match="done must be a finite number"):
        context().progress(done)
    with pytest.raises(ValueError, match="total must be a finite number"):
        context().progress(1, done)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError):
        context().progress("half")  # type: ignore[arg-type] # wrong, to be refused


def test_what_is_stored_is_not_stored_again() -> None:
    go_on = Event()

    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        ctx.progress(1)
        go_on.wait(PATIENCE)

    subject.enqueue()
    with running(engine()) as working:
        eventually(lambda: stored() is not None)
        (run,) = working.workers.runs()
        eventually(lambda: run.untold_progress is None)
        assert (
            ProgressWriter(working.process, working.workers, writing=nullcontext()).run_once(
                now=run.job.started_at
            )
            == 0
        )
        go_on.set()
