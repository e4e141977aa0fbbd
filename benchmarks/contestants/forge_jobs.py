"""forge_jobs with `runjobs --threads 8` and its default settings; or without its recorder."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

from benchmarks.contestants.base import THREADS, Contestant
from forge_jobs import clock

if TYPE_CHECKING:
    from forge_jobs.services.scheduler import Scheduler

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

    def add_hourly_schedules(self, count: int) -> None:
        add_schedules("@hourly" for _ in range(count))

    def add_yearly_schedules(self, count: int) -> None:
        add_schedules(f"{n % 60} {n // 60 % 24} {n % 28 + 1} {n % 12 + 1} *" for n in range(count))

    def plan_all(self) -> None:
        now = clock.now()
        while self.scheduler.run_once(now=now):
            pass

    def look_for_due(self) -> None:
        self.scheduler.run_once(now=clock.now())
        self.scheduler.rest(now=clock.now())

    def fire_all(self) -> None:
        from forge_jobs.models import Schedule

        due = Schedule.objects.latest("next_fire_at").next_fire_at
        with clock.installed(lambda: due):
            while self.scheduler.run_once(now=due):
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


def add_schedules(expressions: Iterable[str]) -> None:
    from forge_jobs.models import Schedule

    Schedule.objects.bulk_create(
        Schedule(name=f"{number}", kind=KIND, expression=expression)
        for number, expression in enumerate(expressions)
    )


contestant = ForgeJobs
