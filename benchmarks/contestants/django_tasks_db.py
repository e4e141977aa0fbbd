"""django-tasks-db with its `db_worker`, which runs one task at a time, on a lasting connection."""

from collections.abc import Iterable

import django
from django.core.management import call_command
from django.db import transaction
from django_tasks import task

from benchmarks.contestants.base import Contestant
from benchmarks.meter import started


@task
def noop(moment: int = 0) -> None:
    started(moment)


class DjangoTasksDB(Contestant):
    """It documents neither threads nor a bulk enqueue, so there are none here."""

    def __init__(self, _variant: str) -> None:
        django.setup()

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)

    def enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            noop.enqueue(moment=moment)

    @transaction.atomic
    def enqueue_many(self, count: int) -> None:
        for _ in range(count):
            noop.enqueue()

    def work(self) -> None:
        call_command("db_worker", verbosity=0, startup_delay=False)

    def unfinished(self) -> bool:
        from django_tasks_db.models import DBTaskResult

        return DBTaskResult.objects.exclude(status="SUCCESSFUL").exists()


contestant = DjangoTasksDB
