"""Budgets: a card each, to drain and refill, and a form for their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock, durations
from forge_jobs.admin.board import BoardAdmin
from forge_jobs.admin.buttons import Button, answered
from forge_jobs.conf import conf
from forge_jobs.durations import of_seconds
from forge_jobs.models import Queue, RateLimitBudget

if TYPE_CHECKING:
    from django.forms import Form

    from forge_jobs.admin.budget_form import BudgetForm


def _drain_form(*given: Any) -> Form:
    from forge_jobs.admin.budget_form import DrainForm

    return DrainForm(*given)


@admin.register(RateLimitBudget)
class RateLimitBudgetAdmin(BoardAdmin):
    tab = "budgets"
    can_add = True
    page_template = "admin/forge_jobs/budgets.html"
    live_template = "forge_jobs/budgets.html"
    actions_row = actions_detail = ("forge_jobs_drain_budget", "forge_jobs_refill_budget")

    @property
    def form(self) -> type[BudgetForm]:
        from forge_jobs.admin.budget_form import BudgetForm

        return BudgetForm

    def board(self, request: HttpRequest) -> dict[str, Any]:
        from forge_jobs.dashboard import budgets

        cards = budgets.read(now=clock.now())
        for card in cards:
            card.buttons.extend(self.row_buttons(request, card.row))
        return {"cards": cards}

    def get_fields(
        self, request: HttpRequest, obj: RateLimitBudget | None = None
    ) -> tuple[str, ...]:
        """Its name stays: queues and handlers know it by that."""
        size = ("capacity", "refill_per_second")
        return size if obj else ("name", *size)

    def save_model(
        self, request: HttpRequest, obj: RateLimitBudget, form: BudgetForm, change: bool
    ) -> None:
        columns = form.changed_columns()
        if not change:
            obj.tokens = obj.capacity
            super().save_model(request, obj, form, change)
        elif columns:
            RateLimitBudget.objects.resize(obj.name, **columns)

    def is_declared(self, row: RateLimitBudget) -> bool:
        return _is_declared(row.name)

    def get_deleted_objects(
        self, objs: QuerySet[RateLimitBudget], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """One that is spent is protected, as rows are that others refer to."""
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        names = [budget.name for budget in objs]
        spending = Queue.objects.filter(budget__in=names).order_by("name")
        protected += [_("the queue %s spends it") % queue for queue in spending]
        protected += [_("the settings declare %s") % name for name in names if _is_declared(name)]
        return deleted, counts, lacking, protected

    @Button(
        title=_("Drain"),
        permission="drain_ratelimitbudget",
        question=_("Empty the budget %(row)s?"),
        explanation=_(
            "Nothing is granted, and nothing flows in, for as long as you say. Jobs of the queues "
            "that spend it wait; what runs goes on."
        ),
        form=_drain_form,
        is_dangerous=True,
    )
    def forge_jobs_drain_budget(self, request: HttpRequest, budget: RateLimitBudget) -> str:
        pause = answered(request, _drain_form)["pause"]
        RateLimitBudget.objects.drain(budget.name, pause=of_seconds(pause))
        if not pause:
            return _("The budget %s is empty.") % budget
        told = {"budget": budget, "pause": durations.told(pause)}
        return _("The budget %(budget)s is empty, and grants nothing for %(pause)s.") % told

    @Button(
        title=_("Refill"),
        permission="drain_ratelimitbudget",
        question=_("Fill the budget %(row)s?"),
        explanation=_(
            "It is as full as can be, and grants again at once, even if it was drained because "
            "the other side had refused."
        ),
    )
    def forge_jobs_refill_budget(self, request: HttpRequest, budget: RateLimitBudget) -> str:
        refilled = RateLimitBudget.objects.refill(budget.name)
        return _("The budget %s is full.") % budget if refilled else ""


def _is_declared(name: str) -> bool:
    return name in conf().budgets
