"""forge_jobs with `runjobs --threads 8` and its default settings; or without its recorder."""

from collections.abc import Iterable

import django
from django.core.management import call_command

from benchmarks.contestants.base import THREADS, Contestant


class ForgeJobs(Contestant):
    def __init__(self, variant: str) -> None:
        django.setup()
        if variant == "unmetered":
            from forge_jobs.runtime.recorder import Recorder

            Recorder.record = lambda self, group, held: None

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)

    def enqueue_each(self, moments: Iterable[int]) -> None:
        from benchmarks.jobs import noop

        for moment in moments:
            noop.enqueue(moment=moment)

    def enqueue_many(self, count: int) -> None:
        from benchmarks.jobs import noop

        noop.enqueue_many([{}] * count)

    def enqueue_future(self, count: int) -> None:
        from benchmarks.jobs import noop

        noop.using(delay=86_400).enqueue_many([{}] * count)

    def work(self) -> None:
        call_command("runjobs", threads=THREADS)

    def unfinished(self) -> bool:
        from forge_jobs.models import Job

        return Job.objects.filter(state__in=["ready", "running"]).exists()


contestant = ForgeJobs
