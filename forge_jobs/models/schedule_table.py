"""What the database itself sees to in the table of schedules."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import F, Q

from forge_jobs.conf.bounds import MAX_PRIORITY, MIN_PRIORITY
from forge_jobs.conf.policies import CatchUp, Overlap, Source

INDEXES: Final = [
    models.Index(
        "next_fire_at",
        name="forge_jobs_due_schedules",
        condition=Q(is_enabled=True, is_over=False),
    ),
]

CONSTRAINTS: Final[list[models.BaseConstraint]] = [
    models.CheckConstraint(
        name="forge_jobs_schedule_known_choices",
        condition=Q(
            overlap__in=Overlap.values,
            catch_up__in=CatchUp.values,
            source__in=Source.values,
        ),
    ),
    models.CheckConstraint(
        name="forge_jobs_schedule_in_bounds",
        condition=Q(jitter_seconds__gte=0)
        & (Q(priority__isnull=True) | Q(priority__range=(MIN_PRIORITY, MAX_PRIORITY)))
        & (Q(max_attempts__isnull=True) | Q(max_attempts__gte=1)),
    ),
    models.CheckConstraint(
        name="forge_jobs_schedule_starts_before_it_ends",
        condition=Q(starts_at__isnull=True)
        | Q(ends_at__isnull=True)
        | Q(starts_at__lte=F("ends_at")),
    ),
]
