"""A process that serves many queues: each of its jobs runs once, and no queue waits for another."""

from collections import Counter
from threading import Event

import pytest
from pytest_django import Settings

from forge_jobs import JobContext, job
from forge_jobs.models import Job, Queue
from tests.app.jobs import noop
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


@pytest.mark.parametrize("served", [2, len(QUEUES)], ids=["two queues", "many queues"])
def test_a_queue_that_never_runs_dry_starves_no_other(served: int) -> None:
    queues, ended = QUEUES[:served], Event()

    @job(kind="tests.endless")
    def endless() -> None:
        if not ended.is_set():
            endless.using(queue=queues[0]).enqueue()

    endless.using(queue=queues[0]).enqueue_many([{}] * 60)
    others = Job.objects.unfinished().filter(kind="app.noop")
    with running(engine(queues=queues, threads=2)):
        eventually(lambda: Job.objects.finished().count() >= 60)
        for queue in queues[1:]:
            noop.using(queue=queue).enqueue()
        eventually(lambda: not others.exists())
        ended.set()
        eventually(lambda: not Job.objects.unfinished().exists())
