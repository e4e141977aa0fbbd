"""django-ox with `ox_worker --concurrency 8`, on lasting connections as in its own benchmarks.

When it is idle it looks once a second, its default.
"""

from django.core.management import call_command

from benchmarks.contestants.base import THREADS
from benchmarks.contestants.core_tasks import CoreTasks, noop


class DjangoOx(CoreTasks):
    def enqueue_many(self, count: int) -> None:
        from django_ox.bulk import enqueue_many

        enqueue_many(noop, [((), {})] * count)

    def work(self) -> None:
        call_command("ox_worker", concurrency=THREADS, verbosity=0)

    def unfinished(self) -> bool:
        from django_ox.models import OxTask

        return OxTask.objects.exclude(status="SUCCESSFUL").exists()


contestant = DjangoOx
