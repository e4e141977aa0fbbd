"""What can be done to one job, from its line in the list or from its own page."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from forge_jobs.admin.buttons import Button, reason, who
from forge_jobs.models import Job, State
from forge_jobs.states import TERMINAL, UNFINISHED, WAITING

NAMES: Final = (
    "forge_jobs_requeue_job",
    "forge_jobs_run_job_now",
    "forge_jobs_cancel_job",
    "forge_jobs_kill_job",
    "forge_jobs_delete_job",
)


class JobButtons:
    @Button(
        title=gettext_lazy("Requeue"),
        permission="retry_job",
        question=gettext_lazy("Requeue %(row)s?"),
        explanation=gettext_lazy("It runs again as soon as it can, with fresh attempts."),
        suits=lambda job: job.state in TERMINAL,
    )
    def forge_jobs_requeue_job(self, request: HttpRequest, job: Job) -> str:
        return _("%(job)s is requeued.") % {"job": job} if job.requeue(by=who(request)) else ""

    @Button(
        title=gettext_lazy("Run now"),
        permission="retry_job",
        question=gettext_lazy("Run %(row)s now?"),
        explanation=gettext_lazy("It no longer waits for its time."),
        suits=lambda job: job.state in WAITING,
    )
    def forge_jobs_run_job_now(self, request: HttpRequest, job: Job) -> str:
        is_ready = job.run_now(by=who(request))
        return _("%(job)s need not wait any longer.") % {"job": job} if is_ready else ""

    @Button(
        title=gettext_lazy("Cancel"),
        permission="cancel_job",
        question=gettext_lazy("Cancel %(row)s?"),
        explanation=gettext_lazy(
            "One that waits is cancelled at once; one that runs is asked to stop."
        ),
        suits=lambda job: job.state in UNFINISHED and job.cancel_requested_at is None,
        asks_why=True,
        is_dangerous=True,
    )
    def forge_jobs_cancel_job(self, request: HttpRequest, job: Job) -> str:
        if not job.cancel(reason(request), by=who(request)):
            return ""
        is_asked = job.state == State.RUNNING
        told = _("%(job)s was asked to stop.") if is_asked else _("%(job)s is cancelled.")
        return told % {"job": job}

    @Button(
        title=gettext_lazy("Kill"),
        permission="kill_job",
        question=gettext_lazy("Kill %(row)s?"),
        explanation=gettext_lazy("Its handler is ended in the midst of its work."),
        suits=lambda job: job.state == State.RUNNING and not job.is_to_be_killed,
        asks_why=True,
        is_dangerous=True,
    )
    def forge_jobs_kill_job(self, request: HttpRequest, job: Job) -> str:
        if not job.kill(reason(request), by=who(request)):
            return ""
        is_told = job.state == State.RUNNING
        told = _("%(job)s is being killed.") if is_told else _("%(job)s is cancelled.")
        return told % {"job": job}

    @Button(
        title=gettext_lazy("Delete"),
        permission="delete_job",
        question=gettext_lazy("Delete %(row)s?"),
        explanation=gettext_lazy("There is no way back."),
        suits=lambda job: job.state in TERMINAL,
        is_dangerous=True,
    )
    def forge_jobs_delete_job(self, request: HttpRequest, job: Job) -> str:
        is_gone = Job.objects.filter(pk=job.pk).purge()
        return _("%(job)s is deleted.") % {"job": job} if is_gone else ""
