"""Resident jobs: exactly one of each, for ever."""

from datetime import timedelta

import pytest

from forge_jobs import Dead, JobContext, Snoozed, job
from forge_jobs.clock import now
from forge_jobs.exceptions import InvalidPayload
from forge_jobs.models import Job, State
from forge_jobs.services.residents import Residents
from tests.running import engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_resident_job_is_there_as_soon_as_a_process_starts_and_stays_single() -> None:
    runs: list[int] = []

    @job(kind="tests.resident", resident=True, takes_context=True)
    def resident(ctx: JobContext) -> Snoozed:
        runs.append(ctx.job_id)
        return Snoozed(delay=0.01)

    with running(engine()), running(engine(name="second")):
        eventually(lambda: len(runs) > 3)

    assert len(set(runs)) == 1
    assert Job.objects.get().kind == "tests.resident"


@pytest.mark.parametrize("outcome", [None, "a result", Dead("no use")])
def test_whatever_else_it_comes_to_is_a_failure_that_is_tried_again(outcome: object) -> None:
    @job(kind="tests.resident", resident=True)
    def resident() -> object:
        return outcome

    with running(engine()):
        eventually(lambda: Job.objects.filter(state=State.RETRYING).exists())

    stored = Job.objects.get()
    assert stored.max_attempts is None
    assert stored.last_error in (
        "no use",
        "A resident job can only snooze: return Snoozed(delay=...).",
    )


def test_a_resident_handler_takes_no_arguments() -> None:
    with pytest.raises(InvalidPayload, match="'number' is missing"):

        @job(kind="tests.resident", resident=True)
        def resident(*, number: int) -> None:
            pass


def test_a_resident_job_that_somebody_cancelled_is_made_anew() -> None:
    @job(kind="tests.resident", resident=True)
    def resident() -> Snoozed:
        return Snoozed(delay=60)

    assert Residents().run_once(now=now()) == 1
    Job.objects.all().cancel("not needed", now=now())
    assert Residents().run_once(now=now()) == 1
    assert Residents().run_once(now=now() + timedelta(hours=1)) == 0

    assert Job.objects.unfinished().count() == 1
