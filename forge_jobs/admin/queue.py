"""Queues: a card each, to pause and resume them, and a form for what else they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock
from forge_jobs.admin.base import assets
from forge_jobs.admin.board import BoardAdmin, neighbours
from forge_jobs.admin.buttons import Button
from forge_jobs.conf import conf
from forge_jobs.models import Job, Queue, Share

if TYPE_CHECKING:
    from forge_jobs.admin.queue_form import QueueForm


@admin.register(Queue)
class QueueAdmin(BoardAdmin):
    tab = "queues"
    page_template = "admin/forge_jobs/queues.html"
    live_template = "forge_jobs/queues.html"
    actions_row = actions_detail = (
        "forge_jobs_pause_queue",
        "forge_jobs_resume_queue",
        "forge_jobs_end_cooling",
    )
    fieldsets = (
        (
            _("Limits"),
            {
                "fields": ["max_workers", "budget"],
                "description": _(
                    "Processes follow within half a second. What you change here stays until the "
                    "project's settings declare that same option differently."
                ),
            },
        ),
        (
            _("Failures"),
            {
                "fields": ["retries", "retry_base_seconds", "retry_cap_seconds"],
                "description": _("Durations are written as 30s, 15m, 12h or 7d."),
            },
        ),
        (
            _("Cooling down"),
            {"fields": ["throttle_base_seconds", "throttle_cap_seconds"]},
        ),
        (
            _("Retention"),
            {"fields": ["retain_succeeded_seconds", "retain_failed_seconds"]},
        ),
    )

    @property
    def form(self) -> type[QueueForm]:
        from forge_jobs.admin.queue_form import QueueForm

        return QueueForm

    @property
    def media(self) -> forms.Media:
        return super().media + assets("jobs.css")

    def board(self, request: HttpRequest) -> dict[str, Any]:
        from forge_jobs.dashboard import queues

        words, page = request.GET.get("q", ""), request.GET.get("p", "")
        shown = queues.read(now=clock.now(), words=words, page=page)
        for card in shown.rows:
            if card.row:
                card.buttons.extend(self.row_buttons(request, card.row))
        return {"cards": shown.rows, **neighbours(shown, words)}

    def save_model(self, request: HttpRequest, obj: Queue, form: QueueForm, change: bool) -> None:
        if columns := form.changed_columns():
            Queue.objects.retune(obj.name, **columns)

    def has_delete_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        """Of a queue that settings declare, the row would come back."""
        if obj is None or obj.name in conf().queues:
            return False
        is_allowed: bool = super().has_delete_permission(request, obj)
        return is_allowed and not Job.objects.unfinished().filter(queue=obj.name).exists()

    def delete_model(self, request: HttpRequest, obj: Queue) -> None:
        Share.objects.filter(queue=obj.name).delete()
        super().delete_model(request, obj)

    @Button(
        title=_("Pause"),
        permission="pause_queue",
        question=_("Pause the queue %(row)s?"),
        explanation=_(
            "Nothing of it is started until it is resumed. What runs finishes; jobs can be "
            "enqueued, and wait."
        ),
        suits=lambda queue: not queue.is_paused,
        acts_at_once=True,
        undo="forge_jobs_resume_queue",
    )
    def forge_jobs_pause_queue(self, request: HttpRequest, queue: Queue) -> str:
        return _("The queue %s is paused.") % queue if Queue.objects.pause(queue.name) else ""

    @Button(
        title=_("Resume"),
        permission="pause_queue",
        question=_("Resume the queue %(row)s?"),
        explanation=_("Its jobs are started again, within half a second."),
        suits=lambda queue: queue.is_paused,
        acts_at_once=True,
        undo="forge_jobs_pause_queue",
    )
    def forge_jobs_resume_queue(self, request: HttpRequest, queue: Queue) -> str:
        return _("The queue %s is resumed.") % queue if Queue.objects.resume(queue.name) else ""

    @Button(
        title=_("End the cooling"),
        permission="pause_queue",
        question=_("Let the queue %(row)s go on at once?"),
        explanation=_(
            "It cools down because a handler was told to be patient. If the other side still "
            "refuses, it cools down again."
        ),
        suits=lambda queue: queue.is_cooling(now=clock.now()),
    )
    def forge_jobs_end_cooling(self, request: HttpRequest, queue: Queue) -> str:
        ended = Queue.objects.cool_off(queue.name)
        return _("The queue %s goes on.") % queue if ended else ""
