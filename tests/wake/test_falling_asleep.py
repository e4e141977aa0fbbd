"""No wake is lost: jobs come in just when workers fall asleep, and nobody waits for the poll."""

import random
import time
from threading import Thread

import pytest
from django.db import connection

from forge_jobs.models import Job, Process
from tests.app.jobs import noop
from tests.running import PATIENCE, Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

POLL_SECONDS = 600
ROUNDS = 40


def enqueue_now_and_then(seed: int) -> None:
    """Bursts, and pauses of all lengths between them, so that some hit the moment."""
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        for _ in range(chance.choice([1, 1, 2, 3, 8])):
            noop.enqueue()
        time.sleep(chance.choice([0.0, 0.001, 0.005, 0.02, 0.05]))
    connection.close()


def nothing_is_left() -> bool:
    return not Job.objects.unfinished().exists()


def test_all_that_threads_enqueue_while_others_fall_asleep_starts_long_before_the_poll() -> None:
    with Runjobs("--poll-interval", f"{POLL_SECONDS}", "--processes", "2") as runjobs:
        eventually(lambda: Process.objects.count() == 2)
        threads = [Thread(target=enqueue_now_and_then, args=[seed]) for seed in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        eventually(nothing_is_left)
        runjobs.terminate()
        assert runjobs.wait()[0] == 0


def test_the_last_job_of_a_burst_starts_without_another_to_come() -> None:
    with Runjobs("--poll-interval", f"{POLL_SECONDS}", "--threads", "2") as runjobs:
        eventually(lambda: Process.objects.exists())
        for jobs in (1, 2, 3, 4, 10, 30):
            for _ in range(jobs):
                noop.enqueue()
            eventually(nothing_is_left)
        runjobs.terminate()
        assert runjobs.wait()[0] == 0
