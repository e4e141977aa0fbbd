"""What operators do to queues: each a guarded update that tells whether it won."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from forge_jobs.models import Queue


def pause(queue: Queue) -> bool:
    return bool(Queue.objects.filter(pk=queue.pk, is_paused=False).update(is_paused=True))


def resume(queue: Queue) -> bool:
    return bool(Queue.objects.filter(pk=queue.pk, is_paused=True).update(is_paused=False))


def cool_off(queue: Queue, *, now: datetime) -> bool:
    """Also forgets earlier throttles, so that the next cooling is short again."""
    cooling = Queue.objects.filter(pk=queue.pk, throttled_until__gt=now)
    return bool(cooling.update(throttled_until=None, throttle_attempts=0))


def retune(queue: Queue, **columns: Any) -> bool:
    """Change these columns alone: a cooling may have begun since the row was read."""
    return bool(Queue.objects.filter(pk=queue.pk).update(**columns))
