"""A token bucket that the whole cluster shares, kept in one row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.models.seeded import SeededManager, SeededModel

if TYPE_CHECKING:
    from forge_jobs.db.rows import BudgetLevel


class BudgetManager(SeededManager["RateLimitBudget"]):
    """Moments are the database's, unless a test names one."""

    def names(self) -> set[str]:
        """Of the budgets that are stored, and of those that are declared and will be."""
        return {*conf().budgets, *self.values_list("name", flat=True)}

    def take(
        self, name: str, *, at_least: float, at_most: float, now: datetime | None = None
    ) -> float:
        """Take as many whole tokens as there are within these bounds; 0 if there are too few."""
        with db.connection().cursor() as cursor:
            return db.twin().take_tokens(
                cursor, name=name, at_least=at_least, at_most=at_most, now=now
            )

    def give_back(self, name: str, *, tokens: float) -> None:
        """Return tokens that were taken and not used; never above the capacity."""
        with db.connection().cursor() as cursor:
            db.twin().return_tokens(cursor, name=name, tokens=tokens)

    def drain(self, name: str, *, pause: timedelta, now: datetime | None = None) -> None:
        """Empty the bucket; nothing is granted, and nothing flows in, for so long."""
        with db.connection().cursor() as cursor:
            db.twin().drain_tokens(cursor, name=name, seconds=pause.total_seconds(), now=now)

    def refill(self, name: str) -> bool:
        """Fill the bucket, and let it grant again; False if there is no such budget."""
        bucket = self.filter(name=name)
        return bool(bucket.update(tokens=F("capacity"), refilled_at=Now(), drained_until=None))

    def resize(self, name: str, **columns: float) -> bool:
        """Change `capacity` or `refill_per_second` from now on; False if somebody was quicker.

        What has flowed in so far did so at the old rate.
        """
        with transaction.atomic(using=db.connection().alias):
            row = self.select_for_update().filter(name=name).first()
            level = self.level(name)
            if row is None or level is None:
                return False
            tokens = min(level.tokens, columns.get("capacity", level.capacity))
            unchanged = self.filter(pk=row.pk, tokens=row.tokens)
            since = Greatest("refilled_at", Now())
            return bool(unchanged.update(tokens=tokens, refilled_at=since, **columns))

    def level(self, name: str, *, now: datetime | None = None) -> BudgetLevel | None:
        """What is in the bucket; None if there is no such budget."""
        with db.connection().cursor() as cursor:
            return db.twin().token_levels(cursor, name=name, now=now).get(name)

    def levels(self, *, now: datetime | None = None) -> dict[str, BudgetLevel]:
        """What is in each bucket, by its name."""
        with db.connection().cursor() as cursor:
            return db.twin().token_levels(cursor, name=None, now=now)


class RateLimitBudget(SeededModel):
    capacity = models.FloatField(_("capacity"), help_text=_("How many tokens it holds at most."))
    refill_per_second = models.FloatField(_("refill per second"))
    tokens = models.FloatField(_("tokens"), help_text=_("As of the last refill."))
    refilled_at = models.DateTimeField(_("refilled at"), db_default=Now())
    drained_until = models.DateTimeField(_("drained until"), null=True)
    last_grant = models.FloatField(_("last grant"), db_default=0.0)

    objects: ClassVar[BudgetManager] = BudgetManager()

    @classmethod
    def planted(cls, name: str, values: Mapping[str, Any]) -> Self:
        """Full at first."""
        budget = super().planted(name, values)
        budget.tokens = budget.capacity
        return budget

    class Meta:
        verbose_name = _("rate-limit budget")
        verbose_name_plural = _("rate-limit budgets")
        permissions: ClassVar = [("drain_ratelimitbudget", _("Can drain and refill budgets"))]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="forge_jobs_budget_in_bounds",
                condition=Q(capacity__gt=0, refill_per_second__gt=0, tokens__gte=0),
            ),
        ]
