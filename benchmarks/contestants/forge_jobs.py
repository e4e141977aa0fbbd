"""forge_jobs with `runjobs --threads 8` and its default settings; or without its recorder."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

from benchmarks.contestants.base import THREADS, Contestant
from forge_jobs import clock

if TYPE_CHECKING:
    from forge_jobs.services.scheduler import Scheduler

HOUR = timedelta(hours=1)
KIND = "bench.noop"


class ForgeJobs(Contestant):
    def __init__(self, variant: str) -> None:
        django.setup()
        if variant == "unmetered":
            from forge_jobs.runtime.metering.recorder import Recorder

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

    def add_schedules(self, count: int) -> None:
        from forge_jobs.models import Schedule

        due = clock.now() + HOUR
        Schedule.objects.bulk_create(
            Schedule(name=f"{number}", kind=KIND, expression="@hourly", next_fire_at=due)
            for number in range(count)
        )

    def look_for_due(self) -> None:
        self.scheduler.run_once(now=clock.now())
        self.scheduler.rest(now=clock.now())

    def fire_all(self) -> None:
        then = clock.now() + HOUR
        with clock.installed(lambda: then):
            while self.scheduler.run_once(now=then):
                pass

    @cached_property
    def scheduler(self) -> "Scheduler":
        from forge_jobs.services.scheduler import Scheduler

        return Scheduler()

    def work(self) -> None:
        call_command("runjobs", threads=THREADS)

    def unfinished(self) -> bool:
        from forge_jobs.models import Job

        return Job.objects.filter(state__in=["ready", "running"]).exists()


contestant = ForgeJobs
