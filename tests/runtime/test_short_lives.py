"""Where each process retires after a moment, what a leader does is done all the same."""

import pytest

from forge_jobs import clock
from forge_jobs.models import Job, Schedule, State
from tests.app.jobs import noop
from tests.planned import MINUTE, planned_schedule
from tests.running import Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PLENTY = 200
"""So that no process is ever without work."""


def test_what_comes_due_is_due_though_each_process_runs_a_few_jobs_only() -> None:
    schedule = planned_schedule(next_fire_at=clock.now() - MINUTE)
    due = noop.using(delay=1).enqueue()

    def is_all_done() -> bool:
        if Job.objects.filter(state=State.READY).count() < PLENTY:
            noop.enqueue_many([{}] * PLENTY)
        is_staged = not Job.objects.filter(pk=due.pk, state=State.SCHEDULED).exists()
        return is_staged and Schedule.objects.get(pk=schedule.pk).last_fired_at is not None

    with Runjobs("--max-jobs-per-process", "20", "--threads", "2") as runjobs:
        eventually(is_all_done)
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
