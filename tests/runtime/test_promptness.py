"""What is asked of another process arrives soon, told of or not."""

import time

import pytest
from django.db.models.functions import Now

from forge_jobs.models import Job, Process, ProcessState, Queue, State
from tests.app.jobs import noop, spin_until_killed, wait_for_cancel
from tests.running import PATIENCE, Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

SOON = 30.0
"""Seconds; a second is what it takes where others leave it a processor, and the poll is far off."""


def begun(job: Job) -> bool:
    job.refresh_from_db()
    return job.state == State.RUNNING


def ended(job: Job) -> bool:
    job.refresh_from_db()
    return job.state == State.CANCELLED


@pytest.mark.parametrize("is_told", [True, False])
def test_a_wish_to_stop_arrives(is_told: bool) -> None:
    with Runjobs("--threads", "2", "--poll-interval", "600"):
        stored = wait_for_cancel.enqueue(seconds=PATIENCE)
        eventually(lambda: begun(stored))
        if is_told:
            stored.cancel("enough")
        else:
            Job.objects.filter(pk=stored.pk).update(cancel_requested_at=Now())
        eventually(lambda: ended(stored), patience=SOON)


def test_a_kill_arrives() -> None:
    with Runjobs("--threads", "2"):
        stored = spin_until_killed.enqueue()
        eventually(lambda: begun(stored))
        stored.kill("runaway")
        eventually(lambda: ended(stored), patience=SOON)


@pytest.mark.parametrize("is_told", [True, False])
def test_orders_and_pauses_arrive(is_told: bool) -> None:
    with Runjobs("--threads", "2", "--poll-interval", "600") as runjobs:
        eventually(lambda: Process.objects.exists() and Queue.objects.exists())
        default, process = Queue.objects.filter(name="default"), Process.objects.all()
        if is_told:
            Queue.objects.pause("default")
        else:
            default.update(is_paused=True)
        stored = noop.enqueue()
        if is_told:
            Queue.objects.resume("default")
        else:
            default.update(is_paused=False)
        eventually(lambda: Job.objects.get(pk=stored.pk).state == State.SUCCEEDED, patience=SOON)
        if is_told:
            process.stop(by="ada")
        else:
            process.update(requested_state=ProcessState.STOPPING)
        began = time.monotonic()
        assert runjobs.wait()[0] == 0
        assert time.monotonic() - began < SOON
