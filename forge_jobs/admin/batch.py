"""Batches: a list with how far each is, and a page for one, to cancel, requeue and seal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from forge_jobs import clock, db
from forge_jobs.admin.base import assets
from forge_jobs.admin.board import BoardAdmin
from forge_jobs.admin.buttons import Button, reason, who
from forge_jobs.models import Batch, BatchState

if TYPE_CHECKING:
    from forge_jobs.dashboard.batches import BatchLine

ACTS: Final = (
    "forge_jobs_seal_batch",
    "forge_jobs_requeue_batch",
    "forge_jobs_cancel_batch",
)


@admin.register(Batch)
class BatchAdmin(BoardAdmin):
    """Code opens batches, and the pruner deletes them: nobody edits or deletes one by hand."""

    tab = "batches"
    page_template = "admin/forge_jobs/batches.html"
    live_template = "forge_jobs/batches.html"
    actions_row = actions_detail = ACTS

    @property
    def media(self) -> forms.Media:
        return super().media + assets("jobs.css") + assets("batches.css")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def board(self, request: HttpRequest) -> dict[str, Any]:
        from forge_jobs.dashboard import batches

        words, state, page = (request.GET.get(name, "") for name in ("q", "state", "p"))
        shown = batches.read(now=clock.now(), words=words, state=state, page=page)
        for line in shown.rows:
            line.buttons.extend(_sensible(self.row_buttons(request, line.row), line))
        return {
            "lines": shown.rows,
            "words": words,
            "state": state,
            "matched": shown.matched,
            "previous": _address(words, state, shown.before),
            "next": _address(words, state, shown.after),
            "states": [("", _("All"), _address(words, "")), *_states(words)],
        }

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        from forge_jobs.dashboard.batches import BatchPage

        batch = self.get_object(request, object_id)
        if batch is None:
            messages.warning(request, _("There is no batch #%(id)s.") % {"id": object_id[:40]})
            return redirect(self.url("changelist"))
        with db.snapshot():
            page = BatchPage.read(batch, now=clock.now())
        buttons = list(self.buttons(request, batch, self.actions_detail))
        context = {
            **self.context(request),
            "title": str(batch),
            "page": page,
            "buttons": _sensible(buttons, page.line),
            "original": batch,
            "live_template": "forge_jobs/batch.html",
            **(extra_context or {}),
        }
        response = TemplateResponse(request, "admin/forge_jobs/batch.html", context)
        return self.alive(request, response)

    @Button(
        title=gettext_lazy("Seal"),
        permission="change_batch",
        question=gettext_lazy("Say that %(row)s is complete?"),
        explanation=gettext_lazy(
            "Nobody but its own jobs can add others then, and it ends with the last of them. Do "
            "this if whoever filled it has gone without saying so."
        ),
        suits=lambda batch: batch.state == BatchState.OPEN,
    )
    def forge_jobs_seal_batch(self, request: HttpRequest, batch: Batch) -> str:
        return _("Batch %s is sealed.") % batch if batch.seal() else ""

    @Button(
        title=gettext_lazy("Requeue the failed"),
        permission="retry_job",
        question=gettext_lazy("Requeue the failed jobs of %(row)s?"),
        explanation=gettext_lazy(
            "Its jobs that are dead or were cancelled run again, those of its parts as well. What "
            "was cancelled because it comes after them goes on when they succeed."
        ),
        suits=lambda batch: batch.state != BatchState.SUCCEEDED,
    )
    def forge_jobs_requeue_batch(self, request: HttpRequest, batch: Batch) -> str:
        if not (jobs := batch.requeue(by=who(request))):
            return ""
        told = ngettext(
            "%(jobs)s job of %(batch)s is requeued.",
            "%(jobs)s jobs of %(batch)s are requeued.",
            jobs,
        )
        return told % {"jobs": f"{jobs:,}", "batch": batch}

    @Button(
        title=gettext_lazy("Cancel"),
        permission="cancel_job",
        question=gettext_lazy("Cancel all that is left of %(row)s?"),
        explanation=gettext_lazy(
            "It is sealed. Its jobs that wait are cancelled at once, those that run are asked to "
            "stop, and so are those of its parts. It ends with the last of them."
        ),
        suits=lambda batch: not batch.has_ended,
        is_dangerous=True,
        asks_why=True,
    )
    def forge_jobs_cancel_batch(self, request: HttpRequest, batch: Batch) -> str:
        was_open = batch.state == BatchState.OPEN
        jobs = batch.cancel(reason(request), by=who(request))
        if not jobs and not was_open:
            return ""
        told = ngettext(
            "%(jobs)s job of %(batch)s is cancelled, or was asked to stop.",
            "%(jobs)s jobs of %(batch)s are cancelled, or were asked to stop.",
            jobs,
        )
        return told % {"jobs": f"{jobs:,}", "batch": batch}


def _sensible(buttons: list[dict[str, Any]], line: BatchLine) -> list[dict[str, Any]]:
    """Without the one to requeue where nothing failed; a row alone does not tell."""
    if line.may_have_failed:
        return buttons
    return [one for one in buttons if one["name"] != "forge_jobs_requeue_batch"]


def _states(words: str) -> list[tuple[str, Any, str]]:
    return [(str(state), state.label, _address(words, state)) for state in BatchState]


def _address(words: str, state: str, page: int | None = 1) -> str:
    """Of a page of the list; empty if there is none."""
    if page is None:
        return ""
    said = {"q": words, "state": state, "p": page if page > 1 else ""}
    return "?" + urlencode({name: value for name, value in said.items() if value})
