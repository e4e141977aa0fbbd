"""Jobs that have not begun in time: what they come to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Func, TextField, When

from forge_jobs.models.event import JobEvent
from forge_jobs.models.job_filters import JobFilters
from forge_jobs.models.promotion import wake_and_promote
from forge_jobs.states import Event, State


class Expiring(JobFilters):
    def expire(self, *, now: datetime, limit: int) -> int:
        """Cancel jobs that should have begun by now, the most overdue first; returns how many.

        What somebody has locked, who may be replacing it, is left for the next time.
        """
        late = (
            self.expired(now=now).order_by("expires_at", "pk").select_for_update(skip_locked=True)
        )
        with transaction.atomic(using=self.db):
            ids = list(late.values_list("pk", flat=True)[:limit])
            chosen = self.model._default_manager.using(self.db).filter(pk__in=ids)
            _, keys = chosen._queues_and_keys()
            expired = chosen.expired(now=now).end_as_expired(now=now)
        wake_and_promote(set(), keys)
        return expired

    def end_as_expired(self, *, now: datetime) -> int:
        """Cancel these without having begun; one that was claimed gets its attempt back."""
        from forge_jobs.db.observed import EventRow

        with transaction.atomic(using=self.db):
            ids = list(self.values_list("pk", flat=True))
            ended = self.update(
                state=State.CANCELLED,
                process=None,
                concurrency_slot=None,
                attempt=Case(When(state=State.RUNNING, then=F("attempt") - 1), default="attempt"),
                started_at=None,
                finished_at=now,
                cancel_requested_at=now,
                cancel_reason=ExpiredAt("expires_at"),
            )
            told = self.model._default_manager.using(self.db).filter(
                pk__in=ids, state=State.CANCELLED, cancel_requested_at=now
            )
            reasons = told.values_list("pk", "cancel_reason") if ended else ()
            JobEvent.objects.write(
                [EventRow(pk, now, Event.CANCELLED, detail=reason) for pk, reason in reasons]
            )
        return ended


class ExpiredAt(Func):
    """`Expired at 2026-03-02 12:00:00 UTC`, of a column that says when."""

    output_field = TextField()
    arity = 1
    template = "'Expired at ' || substr(%(expressions)s, 1, 19) || ' UTC'"  # as SQLite keeps it

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        moment = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
        template = f"'Expired at ' || {moment} || ' UTC'"
        return self.as_sql(compiler, connection, template=template, **context)
