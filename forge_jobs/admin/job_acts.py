"""What people may do to jobs, said once: to one, by its button, or to many at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.contrib.admin.models import CHANGE, DELETION
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock
from forge_jobs.admin.buttons import Button, ButtonView, Refused, Text, reason, who
from forge_jobs.admin.undo import TooLate, remembered
from forge_jobs.models import Job, State
from forge_jobs.states import TERMINAL, UNFINISHED, WAITING

if TYPE_CHECKING:
    from forge_jobs.models.ended import Ended

LONGEST_REASON: Final = 500
"""An undo carries it in its address."""


class JobAct(NamedTuple):
    """`of_one` and `of_many` explain it; `told` says of `%(job)s` that it was done.

    Of a job that still runs, `asked` says so. `name` is what the form for many calls it.
    """

    name: str
    title: Text
    permission: str
    suits: Callable[[Job], bool]
    question: Text
    of_one: Text
    of_many: Text
    told: Text
    do: Callable[[Job, HttpRequest], bool]
    asked: Text = ""
    is_dangerous: bool = False
    asks_why: bool = False
    acts_at_once: bool = False
    undo: str = ""
    before: Callable[[Job], Any] = lambda job: None
    memory: Callable[[Any, Job], dict[str, Any] | None] = lambda before, job: {}
    logged_as: int = CHANGE

    def is_allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"forge_jobs.{self.permission}")

    def button(self) -> ButtonView:
        return Button(
            title=self.title,
            permission=self.permission,
            question=self.question,
            suits=self.suits,
            explanation=self.of_one,
            is_dangerous=self.is_dangerous,
            asks_why=self.asks_why,
            acts_at_once=self.acts_at_once,
            undo=self.undo,
            before=self.before,
            memory=self.memory,
        )(self._carry_out)

    def _carry_out(self, admin: Any, request: HttpRequest, job: Job) -> str:
        if not self.do(job, request):
            return ""
        told = self.asked if self.asked and job.state == State.RUNNING else self.told
        return told % {"job": job}


REQUEUE: Final = JobAct(
    name="requeue",
    title=_("Requeue"),
    permission="retry_job",
    suits=lambda job: job.state in TERMINAL,
    question=_("Requeue %(row)s?"),
    of_one=_("It runs again as soon as it can, with fresh attempts."),
    of_many=_("They run again as soon as they can, with fresh attempts."),
    told=_("Job %(job)s is requeued."),
    do=lambda job, request: job.requeue(by=who(request)),
    acts_at_once=True,
    undo="forge_jobs_end_job_again",
    before=lambda job: _ended(job),
    memory=lambda ended, job: _of_requeue(ended, job),
)

RUN_NOW: Final = JobAct(
    name="run_now",
    title=_("Run now"),
    permission="retry_job",
    suits=lambda job: job.state in WAITING,
    question=_("Run %(row)s now?"),
    of_one=_("It no longer waits for its time."),
    of_many=_("They no longer wait for their time."),
    told=_("Job %(job)s need not wait any longer."),
    do=lambda job, request: job.run_now(by=who(request)),
    acts_at_once=True,
)

CANCEL: Final = JobAct(
    name="cancel",
    title=_("Cancel"),
    permission="cancel_job",
    suits=lambda job: job.state in UNFINISHED and job.cancel_requested_at is None,
    question=_("Cancel %(row)s?"),
    of_one=_("One that waits is cancelled at once; one that runs is asked to stop."),
    of_many=_("Those that wait are cancelled at once; those that run are asked to stop."),
    told=_("Job %(job)s is cancelled."),
    asked=_("Job %(job)s was asked to stop."),
    do=lambda job, request: job.cancel(reason(request), by=who(request)),
    is_dangerous=True,
    asks_why=True,
)

KILL: Final = JobAct(
    name="kill",
    title=_("Kill"),
    permission="kill_job",
    suits=lambda job: job.state == State.RUNNING and not job.is_to_be_killed,
    question=_("Kill %(row)s?"),
    of_one=_("Its handler is ended in the midst of its work."),
    of_many=_(
        "Those that run are ended in the midst of their work, those that wait are cancelled."
    ),
    told=_("Job %(job)s is cancelled."),
    asked=_("Job %(job)s is being killed."),
    do=lambda job, request: job.kill(reason(request), by=who(request)),
    is_dangerous=True,
    asks_why=True,
)

DELETE: Final = JobAct(
    name="delete",
    title=_("Delete"),
    permission="delete_job",
    suits=lambda job: job.state in TERMINAL,
    question=_("Delete %(row)s?"),
    of_one=_("There is no way back."),
    of_many=_("Only finished jobs are deleted. There is no way back."),
    told=_("Job %(job)s is deleted."),
    do=lambda job, request: bool(Job.objects.filter(pk=job.pk).purge()),
    is_dangerous=True,
    logged_as=DELETION,
)

ACTS: Final = (REQUEUE, RUN_NOW, CANCEL, KILL, DELETE)


class JobButtons:
    """The methods that Django's admin looks for, by the names of their addresses."""

    forge_jobs_requeue_job = REQUEUE.button()
    forge_jobs_run_job_now = RUN_NOW.button()
    forge_jobs_cancel_job = CANCEL.button()
    forge_jobs_kill_job = KILL.button()
    forge_jobs_delete_job = DELETE.button()

    @Button(
        title=_("Undo the requeue"),
        permission="retry_job",
        question=_("Take back the requeue of %(row)s?"),
        suits=lambda job: False,  # it needs to know what there was before
    )
    def forge_jobs_end_job_again(self, request: HttpRequest, job: Job) -> str:
        memory = remembered(request, "forge_jobs_end_job_again", job)
        if memory is None:
            raise Refused(_("Only right after a requeue can it be undone."))
        since = datetime.fromisoformat(memory["since"])
        from forge_jobs.models.ended import Ended

        ended, this = Ended.from_json(memory["ended"]), Job.objects.filter(pk=job.pk)
        if not this.end_again(ended, since=since, by=who(request), now=clock.now()):
            raise TooLate(_("It is too late to undo that: %(job)s has begun.") % {"job": job})
        told = {"job": job, "state": State(ended.state).label}
        return _("The requeue of %(job)s is undone: it is %(state)s, as before.") % told


def _ended(job: Job) -> Ended | None:
    from forge_jobs.models.ended import Ended

    return Ended.of(job)


def _of_requeue(ended: Ended | None, job: Job) -> dict[str, Any] | None:
    if ended is None or len(ended.cancel_reason) > LONGEST_REASON:
        return None
    return {"ended": ended.as_json(), "since": job.run_at.isoformat()}


NAMES: Final = tuple(name for name, view in vars(JobButtons).items() if hasattr(view, "button"))
