"""What the contestants that are backends of Django's own tasks, of Django 6.0 and later, share."""

from collections.abc import Iterable

import django
from django.core.management import call_command
from django.tasks import task

from benchmarks.contestants.base import Contestant
from benchmarks.meter import started

django.setup()  # @task asks for the backend, and that of dj-queue for its models


@task
def noop(moment: int = 0) -> None:
    started(moment)


class CoreTasks(Contestant):
    def __init__(self, _variant: str) -> None:
        """They have no variants."""

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)

    def enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            noop.enqueue(moment=moment)
