"""Jobs: the list with its filters, and all of one job."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest

from forge_jobs.admin.base import ForgeAdmin
from forge_jobs.admin.buttons import Button, reason, who
from forge_jobs.models import Job, State
from forge_jobs.states import UNFINISHED


@admin.register(Job)
class JobAdmin(ForgeAdmin):
    tab = "jobs"
    list_display: ClassVar = ["id", "kind", "queue", "state"]
    actions_row = actions_detail = ("forge_jobs_cancel_job",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def tab_of(self, request: HttpRequest) -> str:
        state = request.GET.get("state", "")
        return state if state in (State.SCHEDULED, State.RETRYING, State.DEAD) else "jobs"

    @Button(
        title="Cancel",
        permission="cancel_job",
        question="Cancel %(row)s?",
        explanation="One that waits is cancelled at once; one that runs is asked to stop.",
        suits=lambda job: job.state in UNFINISHED and job.cancel_requested_at is None,
        asks_why=True,
        is_dangerous=True,
    )
    def forge_jobs_cancel_job(self, request: HttpRequest, job: Job) -> str:
        if not job.cancel(reason(request), by=who(request)):
            return ""
        return f"{job} was asked to stop." if job.state == State.RUNNING else f"{job} is cancelled."
