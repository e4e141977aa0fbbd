"""A process that serves many queues: each of its jobs runs once, and no queue waits for another."""

from collections import Counter

import pytest
from pytest_django import Settings

from forge_jobs import JobContext, job
from forge_jobs.models import Job, Queue
from forge_jobs.runtime.claiming.fetcher import LARGEST_CLAIM
from tests.running import drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)

QUEUES = tuple(f"queue-{number}" for number in range(30))


@pytest.fixture(autouse=True)
def _many_queues(settings: Settings) -> None:
    settings.FORGE_JOBS = settings.FORGE_JOBS | {"QUEUES": {queue: {} for queue in QUEUES}}


class Ledger:
    """Who ran: the queue and the id of each run."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, int]] = []

        @job(kind="tests.noted", takes_context=True)
        def noted(ctx: JobContext) -> None:
            self.runs.append((ctx.queue, ctx.job_id))

        self.noted = noted
        for queue in QUEUES:
            self.store(queue, 20)

    def store(self, queue: str, jobs: int) -> None:
        self.noted.using(queue=queue).enqueue_many([{}] * jobs)

    def is_exact(self) -> bool:
        """Whether each job has run once."""
        is_whole = len(self.runs) == Job.objects.finished().count()
        return is_whole and len(set(self.runs)) == len(self.runs)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_jobs_of_many_queues_run_once_each(ledger: Ledger) -> None:
    drain(queues=QUEUES)

    assert ledger.is_exact()
    assert Counter(queue for queue, _ in ledger.runs) == dict.fromkeys(QUEUES, 20)


def test_a_full_queue_lets_all_others_come_to_their_turn_before_it_has_its_third(
    ledger: Ledger,
) -> None:
    full = QUEUES[0]
    ledger.store(full, 3_000)
    drain(queues=QUEUES, threads=1)

    ran = [queue for queue, _ in ledger.runs]
    all_were_served = max(ran.index(queue) for queue in QUEUES)
    assert ran[:all_were_served].count(full) <= 2 * LARGEST_CLAIM
    assert ledger.is_exact()


def test_queues_that_are_paused_limited_and_resumed_meanwhile_forget_no_job(
    ledger: Ledger,
) -> None:
    paused, limited = QUEUES[::2], QUEUES[1::4]
    Queue.objects.sow({queue: {} for queue in QUEUES})
    for queue in paused:
        Queue.objects.pause(queue)
    with running(engine(queues=QUEUES, threads=4)):
        eventually(lambda: len(ledger.runs) >= 100)
        Queue.objects.filter(name__in=limited).update(max_workers=1)
        for queue in paused:
            Queue.objects.resume(queue)
        eventually(lambda: not Job.objects.unfinished().exists())

    assert ledger.is_exact()
