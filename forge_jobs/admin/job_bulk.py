"""Does something to the ticked jobs, or to all that fit the filter: counts, asks, carries out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from forge_jobs import clock
from forge_jobs.admin.buttons import reason, who
from forge_jobs.admin.job_filter import JobFilter
from forge_jobs.models import Job
from forge_jobs.operations.bulk import Cancel, Kill, Operation, Purge, Retry, RunNow
from forge_jobs.operations.selection import Selection

if TYPE_CHECKING:
    from forge_jobs.admin.base import ForgeAdmin

TICKED: Final = "_selected_action"
ACROSS: Final = "select_across"
LARGEST_TICKED: Final = 1_000
NAMED: Final = 20


@dataclass(frozen=True, kw_only=True)
class BulkAction:
    name: str
    title: str | Promise
    permission: str
    operation: Callable[[Selection, HttpRequest], Operation]
    explanation: str | Promise = ""
    is_dangerous: bool = False
    asks_why: bool = False
    action_flag: int = field(default=CHANGE)

    def is_allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"forge_jobs.{self.permission}")


ACTIONS: Final[Sequence[BulkAction]] = (
    BulkAction(
        name="requeue",
        title=gettext_lazy("Requeue"),
        permission="retry_job",
        operation=lambda selection, request: Retry(selection, by=who(request)),
        explanation=gettext_lazy("They run again as soon as they can, with fresh attempts."),
    ),
    BulkAction(
        name="run_now",
        title=gettext_lazy("Run now"),
        permission="retry_job",
        operation=lambda selection, request: RunNow(selection, by=who(request)),
        explanation=gettext_lazy("They no longer wait for their time."),
    ),
    BulkAction(
        name="cancel",
        title=gettext_lazy("Cancel"),
        permission="cancel_job",
        operation=lambda selection, request: Cancel(selection, reason(request), by=who(request)),
        explanation=gettext_lazy(
            "Those that wait are cancelled at once; those that run are asked to stop."
        ),
        is_dangerous=True,
        asks_why=True,
    ),
    BulkAction(
        name="kill",
        title=gettext_lazy("Kill"),
        permission="kill_job",
        operation=lambda selection, request: Kill(selection, reason(request), by=who(request)),
        explanation=gettext_lazy(
            "Those that run are ended in the midst of their work, those that wait are cancelled."
        ),
        is_dangerous=True,
        asks_why=True,
    ),
    BulkAction(
        name="delete",
        title=gettext_lazy("Delete"),
        permission="delete_job",
        operation=lambda selection, request: Purge(selection),
        explanation=gettext_lazy("Only finished jobs are deleted. There is no way back."),
        is_dangerous=True,
        action_flag=DELETION,
    ),
)


def allowed(request: HttpRequest) -> list[BulkAction]:
    return [action for action in ACTIONS if action.is_allowed(request)]


@dataclass(frozen=True)
class BulkRequest:
    """What was posted from the list, or from the question that followed."""

    admin: ForgeAdmin
    request: HttpRequest
    filter: JobFilter

    def answer(self) -> HttpResponse:
        named = self.request.POST.get("action")
        action = next((action for action in ACTIONS if action.name == named), None)
        if action is None:
            return self._back(_("Choose what to do with the jobs."))
        if not action.is_allowed(self.request):
            raise PermissionDenied
        if not self.filter.is_valid():
            return self._back(_("Nothing was done: the filter is not understood."))
        if not self._is_across and not self._ticked:
            return self._back(_("Tick the jobs that you mean, or choose all that match."))
        operation = self._operation(action)
        if "confirmed" in self.request.POST:
            return self._carry_out(action, operation)
        return self._ask(action, operation)

    @property
    def _is_across(self) -> bool:
        return self.request.POST.get(ACROSS) == "1"

    @property
    def _ticked(self) -> list[int]:
        ticked = self.request.POST.getlist(TICKED)[:LARGEST_TICKED]
        return sorted({int(word) for word in ticked if word.isdecimal() and len(word) < 19})

    def _operation(self, action: BulkAction) -> Operation:
        """On the filter's jobs, or the ticked ones, that are in a state for it."""
        asked_for = (
            self.filter.selection() if self._is_across else Selection(states=(), ids=self._ticked)
        )
        allowed = action.operation(asked_for, self.request).allowed
        states = [state for state in allowed if not self._is_across or state in asked_for.states]
        return action.operation(replace(asked_for, states=states), self.request)

    def _ask(self, action: BulkAction, operation: Operation) -> HttpResponse:
        foresight = operation.foresee(now=clock.now())
        title = ngettext("%(do)s %(count)s job", "%(do)s %(count)s jobs", foresight.count) % {
            "do": action.title,
            "count": f"{foresight.count:,}",
        }
        context = {
            **self.admin.context(self.request),
            "title": title,
            "question": f"{title}?",
            "told": foresight.told,
            "meant": self._meant(),
            "left_out": operation.selection.left_out()[:NAMED],
            "explanation": action.explanation,
            "is_dangerous": action.is_dangerous,
            "asks_why": action.asks_why,
            "is_idle": foresight.count == 0,
            "hidden": self._hidden(action),
            "back": self.request.get_full_path(),
        }
        return TemplateResponse(self.request, "admin/forge_jobs/confirm_bulk.html", context)

    def _hidden(self, action: BulkAction) -> list[tuple[str, str]]:
        """All that the confirmation must know; the moments as of the count."""
        across = "1" if self._is_across else "0"
        ticked = [] if self._is_across else [(TICKED, str(pk)) for pk in self._ticked]
        asked = ("asked_at", self.filter.now.isoformat())
        return [("confirmed", "1"), ("action", action.name), (ACROSS, across), asked, *ticked]

    def _meant(self) -> str:
        if not self._is_across:
            return _("The jobs that you ticked.")
        words = ", ".join(self.filter.in_words())
        return _("All jobs that match: %(words)s.") % {"words": words} if words else _("All jobs.")

    def _carry_out(self, action: BulkAction, operation: Operation) -> HttpResponse:
        ticked = (
            []
            if self._is_across
            else list(Job.objects.filter(pk__in=self._ticked, state__in=operation.selection.states))
        )
        told = operation.carry_out(now=clock.now())
        if ticked:
            LogEntry.objects.log_actions(
                self.request.user.pk or 0, ticked, action.action_flag, f"{action.title}: {told}"
            )
        else:
            self.admin.log_many(self.request, self._meant(), f"{action.title}: {told}")
        messages.success(self.request, told)
        return redirect(self.request.get_full_path())

    def _back(self, why: str) -> HttpResponse:
        messages.warning(self.request, why)
        return redirect(self.request.get_full_path())


def asked_at(request: HttpRequest, *, now: datetime) -> datetime:
    """The moment as of which a question counted: ages in the filter go by it."""
    try:
        moment = datetime.fromisoformat(request.POST.get("asked_at", ""))
    except ValueError:
        return now
    return moment if moment.tzinfo and moment <= now else now
