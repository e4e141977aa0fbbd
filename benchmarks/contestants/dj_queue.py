"""dj-queue with eight threads in one process, `--mode async`, and its defaults for all else.

On PostgreSQL those are SKIP LOCKED, and LISTEN beside a look each tenth of a second.
"""

from django.core.management import call_command

from benchmarks.contestants.core_tasks import CoreTasks, noop


class DjQueue(CoreTasks):
    def enqueue_many(self, count: int) -> None:
        noop.get_backend().enqueue_all([(noop, [], {})] * count)

    def work(self) -> None:
        call_command("dj_queue", mode="async", verbosity=0)

    def unfinished(self) -> bool:
        from dj_queue.models import Job

        return Job.objects.filter(finished_at=None).exists()


contestant = DjQueue
