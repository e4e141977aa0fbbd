"""Splits what a queue may use of the cluster fairly over the processes that serve it."""

from collections.abc import Sequence
from datetime import datetime

from forge_jobs.conf import conf
from forge_jobs.models import Process, Queue, SlotAssignment
from forge_jobs.services.base import Service


class Balancer(Service):
    """Shares make it fair; that no more run than may is seen to by each claim itself."""

    def __init__(self) -> None:
        self.interval = conf().heartbeat

    def run_once(self, *, now: datetime) -> int:
        live = list(Process.objects.claiming(now=now).order_by("pk"))
        changed = 0
        for queue in Queue.objects.order_by("name"):
            serving = [process.pk for process in live if queue.name in process.queues]
            shares = {} if queue.max_workers is None else split(queue.max_workers, serving)
            changed += SlotAssignment.objects.assign(queue.name, shares)
        return changed


def split(slots: int, processes: Sequence[int]) -> dict[int, int]:
    """As evenly as can be, the first ones getting what is left over: 10 over 3 is 4, 3, 3."""
    if not processes:
        return {}
    each, left = divmod(slots, len(processes))
    return {pk: each + (place < left) for place, pk in enumerate(processes)}
