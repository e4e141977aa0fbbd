"""What operators do to queues and budgets: each a guarded update that tells whether it won."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from forge_jobs import db
from forge_jobs.models import Queue, RateLimitBudget


def pause(queue: Queue) -> bool:
    return bool(Queue.objects.filter(pk=queue.pk, is_paused=False).update(is_paused=True))


def resume(queue: Queue) -> bool:
    return bool(Queue.objects.filter(pk=queue.pk, is_paused=True).update(is_paused=False))


def end_cooling(queue: Queue, *, now: datetime) -> bool:
    """Also forgets earlier throttles, so that the next cooling is short again."""
    cooling = Queue.objects.filter(pk=queue.pk, throttled_until__gt=now)
    return bool(cooling.update(throttled_until=None, throttle_attempts=0))


def retune(queue: Queue, **columns: Any) -> bool:
    """Change these columns alone: a cooling may have begun since the row was read."""
    return bool(Queue.objects.filter(pk=queue.pk).update(**columns))


def drain(budget: RateLimitBudget, *, pause: timedelta) -> bool:
    """Empty the bucket; nothing is granted, and nothing flows in, for so long."""
    RateLimitBudget.objects.drain(budget.name, pause=pause)
    return bool(RateLimitBudget.objects.filter(pk=budget.pk).exists())


def refill(budget: RateLimitBudget) -> bool:
    """Fill the bucket, and let it grant again."""
    bucket = RateLimitBudget.objects.filter(pk=budget.pk)
    return bool(bucket.update(tokens=F("capacity"), refilled_at=Now(), drained_until=None))


def resize(budget: RateLimitBudget, **columns: float) -> bool:
    """Change capacity or refill from now on: what has flowed in so far did so at the old rate."""
    with transaction.atomic(using=db.connection().alias):
        row = RateLimitBudget.objects.select_for_update().filter(pk=budget.pk).first()
        level = RateLimitBudget.objects.level(budget.name)
        if row is None or level is None:
            return False
        tokens = min(level.tokens, columns.get("capacity", level.capacity))
        unchanged = RateLimitBudget.objects.filter(pk=row.pk, tokens=row.tokens)
        since = Greatest("refilled_at", Now())
        return bool(unchanged.update(tokens=tokens, refilled_at=since, **columns))
