"""What the database itself sees to in the job table: how jobs are found, and what always holds."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from forge_jobs.states import TERMINAL, UNFINISHED, WAITING, State

INDEXES: Final = [
    models.Index(
        "queue",
        F("priority").desc(),
        "run_at",
        "id",
        name="forge_jobs_claim",
        condition=Q(state=State.READY),
    ),
    models.Index("run_at", "id", name="forge_jobs_stage", condition=Q(state__in=WAITING)),
    # Few, as a rule, and among a million that are scheduled hard to find.
    models.Index("run_at", "id", name="forge_jobs_retrying", condition=Q(state=State.RETRYING)),
    models.Index("process", name="forge_jobs_running", condition=Q(state=State.RUNNING)),
    models.Index(
        "concurrency_key",
        "run_at",
        "id",
        name="forge_jobs_blocked",
        condition=Q(state=State.BLOCKED),
    ),
    # The kind is there to be looked for: an index of its own would cost each job.
    models.Index(
        "queue",
        "state",
        "finished_at",
        "id",
        "kind",
        name="forge_jobs_finished",
        condition=Q(state__in=TERMINAL),
    ),
    models.Index(
        "schedule",
        "id",
        name="forge_jobs_of_schedule",
        condition=Q(schedule__isnull=False),
    ),
    models.Index(
        "schedule",
        name="forge_jobs_open_of_schedule",
        condition=Q(schedule__isnull=False, state__in=UNFINISHED),
    ),
    models.Index(
        "expires_at",
        "id",
        name="forge_jobs_expiring",
        condition=Q(expires_at__isnull=False, finished_at__isnull=True),
    ),
    models.Index(
        "batch", "state", "id", name="forge_jobs_of_batch", condition=Q(batch__isnull=False)
    ),
    models.Index("run_at", "id", name="forge_jobs_held", condition=Q(state=State.HELD)),
    models.Index("gate", "state", "id", name="forge_jobs_of_gate", condition=Q(gate__isnull=False)),
]

CONSTRAINTS: Final[list[models.BaseConstraint]] = [
    models.UniqueConstraint(
        "dedupe_key",
        Coalesce("dedupe_turn", 0),
        name="forge_jobs_dedupe",
        condition=Q(dedupe_key__isnull=False, state__in=UNFINISHED),
    ),
    models.UniqueConstraint(
        "idempotency_key",
        name="forge_jobs_idempotency",
        condition=Q(idempotency_key__isnull=False),
    ),
    models.UniqueConstraint(
        "concurrency_key",
        "concurrency_slot",
        name="forge_jobs_concurrency",
        condition=Q(concurrency_slot__isnull=False),
    ),
    models.CheckConstraint(
        name="forge_jobs_slot_while_ready_or_running",
        condition=Q(concurrency_slot__isnull=True)
        | Q(state__in=[State.READY, State.RUNNING], concurrency_key__isnull=False),
    ),
    models.CheckConstraint(
        name="forge_jobs_blocked_has_key",
        condition=~Q(state=State.BLOCKED)
        | Q(concurrency_key__isnull=False, concurrency_limit__gte=1),
    ),
    models.CheckConstraint(name="forge_jobs_known_state", condition=Q(state__in=State.values)),
    models.CheckConstraint(
        name="forge_jobs_running_iff_claimed",
        condition=Q(state=State.RUNNING, process__isnull=False)
        | (~Q(state=State.RUNNING) & Q(process__isnull=True)),
    ),
    models.CheckConstraint(name="forge_jobs_attempt_not_negative", condition=Q(attempt__gte=0)),
]
