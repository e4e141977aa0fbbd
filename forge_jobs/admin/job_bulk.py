"""Does something to the ticked jobs, or to all that fit the filter: counts, asks, carries out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from forge_jobs import clock
from forge_jobs.admin.base import ForgeAdmin
from forge_jobs.admin.buttons import reason, who
from forge_jobs.admin.job_acts import ACTS, CANCEL, DELETE, KILL, REQUEUE, RUN_NOW, JobAct
from forge_jobs.admin.job_filter import JobFilter
from forge_jobs.dashboard.list_page import HEAVY
from forge_jobs.models import Job
from forge_jobs.operations.bulk import Cancel, Foresight, Kill, Operation, Purge, Retry, RunNow
from forge_jobs.operations.selection import Selection

TICKED: Final = "_selected_action"
ACROSS: Final = "select_across"
ALL: Final = "all"
"""What a button of its own does to all that match its address."""
LARGEST_TICKED: Final = 1_000
NAMED: Final = 20

OPERATIONS: Final[Mapping[str, Callable[[Selection, HttpRequest], Operation]]] = {
    REQUEUE.name: lambda jobs, request: Retry(jobs, by=who(request)),
    RUN_NOW.name: lambda jobs, request: RunNow(jobs, by=who(request)),
    CANCEL.name: lambda jobs, request: Cancel(jobs, reason(request), by=who(request)),
    KILL.name: lambda jobs, request: Kill(jobs, reason(request), by=who(request)),
    DELETE.name: lambda jobs, request: Purge(jobs),
}
"""What each act is when it is done to many."""


@dataclass(frozen=True)
class BulkRequest:
    """What was posted from the list, or from the question that followed."""

    admin: ForgeAdmin
    request: HttpRequest
    filter: JobFilter

    def answer(self) -> HttpResponse:
        named = self.request.POST.get("action") or self.request.POST.get(ALL)
        act = next((act for act in ACTS if act.name == named), None)
        if act is None:
            return self._back(_("Choose what to do with the jobs."))
        if not act.is_allowed(self.request):
            raise PermissionDenied
        if not self.filter.is_valid():
            return self._back(_("Nothing was done: the filter is not understood."))
        if not self._is_across and not self._ticked:
            return self._back(_("Tick the jobs that you mean, or choose all that match."))
        operation = self.operation(act)
        if "confirmed" in self.request.POST:
            messages.success(self.request, self.carry_out(act, operation).told)
            return redirect(self.request.get_full_path())
        return self._ask(act, operation)

    def operation(self, act: JobAct) -> Operation:
        """On the filter's jobs, or the ticked ones, that are in a state for it."""
        asked_for = (
            self.filter.selection() if self._is_across else Selection(states=(), ids=self._ticked)
        )
        operation = OPERATIONS[act.name]
        allowed = operation(asked_for, self.request).allowed
        states = [state for state in allowed if not self._is_across or state in asked_for.states]
        return operation(replace(asked_for, states=states), self.request)

    def carry_out(self, act: JobAct, operation: Operation) -> Foresight:
        """Do it, and write so into the log; each job is changed as a whole, not all as one."""
        ticked = (
            []
            if self._is_across
            else list(
                Job.objects.defer(*HEAVY).filter(
                    pk__in=self._ticked, state__in=operation.selection.states
                )
            )
        )
        done = operation.act(now=clock.now())
        if ticked:
            LogEntry.objects.log_actions(
                self.request.user.pk or 0, ticked, act.logged_as, f"{act.title}: {done.told}"
            )
        else:
            self.admin.log_many(self.request, self._meant(), f"{act.title}: {done.told}")
        return done

    @property
    def _is_across(self) -> bool:
        return self.request.POST.get(ACROSS) == "1" or ALL in self.request.POST

    @property
    def _ticked(self) -> list[int]:
        ticked = self.request.POST.getlist(TICKED)[:LARGEST_TICKED]
        return sorted({int(word) for word in ticked if word.isdecimal() and len(word) < 19})

    def _ask(self, act: JobAct, operation: Operation) -> HttpResponse:
        foresight = operation.foresee(now=clock.now())
        title = ngettext("%(do)s %(count)s job", "%(do)s %(count)s jobs", foresight.count) % {
            "do": act.title,
            "count": f"{foresight.count:,}",
        }
        context = {
            **self.admin.context(self.request),
            "title": title,
            "question": f"{title}?",
            "told": foresight.told,
            "meant": self._meant(),
            "left_out": operation.selection.left_out()[:NAMED],
            "explanation": act.of_many,
            "is_dangerous": act.is_dangerous,
            "asks_why": act.asks_why,
            "is_idle": foresight.count == 0,
            "hidden": self._hidden(act),
            "back": self.request.get_full_path(),
        }
        return TemplateResponse(self.request, "admin/forge_jobs/confirm_bulk.html", context)

    def _hidden(self, act: JobAct) -> list[tuple[str, str]]:
        """All that the confirmation must know; the moments as of the count."""
        across = "1" if self._is_across else "0"
        ticked = [] if self._is_across else [(TICKED, str(pk)) for pk in self._ticked]
        asked = ("asked_at", self.filter.now.isoformat())
        return [("confirmed", "1"), ("action", act.name), (ACROSS, across), asked, *ticked]

    def _meant(self) -> str:
        if not self._is_across:
            return _("The jobs that you ticked.")
        words = ", ".join(self.filter.in_words())
        return _("All jobs that match: %(words)s.") % {"words": words} if words else _("All jobs.")

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
