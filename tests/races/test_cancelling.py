"""A wish to stop reaches a handler in another process."""

import pytest

from forge_jobs.models import Job, State
from tests.app.jobs import spin_until_killed, wait_for_cancel
from tests.running import PATIENCE, Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def test_handlers_in_another_process_are_cancelled_and_killed() -> None:
    waiting, spinning = wait_for_cancel.enqueue(seconds=3 * PATIENCE), spin_until_killed.enqueue()
    with Runjobs("--threads", "3") as runjobs:
        eventually(lambda: Job.objects.running().count() == 2)
        waiting.cancel("not needed", by="ada")
        eventually(lambda: state_of(waiting) == State.CANCELLED)
        spinning.kill("runaway", by="ada")
        eventually(lambda: state_of(spinning) == State.CANCELLED)
        runjobs.terminate()
        assert runjobs.wait()[0] == 0, runjobs.output

    assert (waiting.last_error, waiting.cancelled_by) == ("not needed", "ada")
