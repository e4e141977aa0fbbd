"""Processes: a card each, with what they run, and ways to calm or stop them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock
from forge_jobs.admin.board import BoardAdmin
from forge_jobs.admin.buttons import Button, who
from forge_jobs.admin.fields import in_lines, moment_of
from forge_jobs.models import Child, Process, ProcessState

STARTED = moment_of("started_at", _("started"))
HEARD = moment_of("heartbeat_at", _("last heartbeat"))


@admin.register(Process)
class ProcessAdmin(BoardAdmin):
    """A process writes its own row, and is forgotten when it ends: nobody edits or deletes one."""

    tab = "processes"
    page_template = "admin/forge_jobs/processes.html"
    live_template = "forge_jobs/processes.html"
    actions_row = actions_detail = (
        "forge_jobs_quiet_process",
        "forge_jobs_unquiet_process",
        "forge_jobs_stop_process",
    )
    fields = (
        ("host", "pid", "version"),
        "state",
        ("requested_state", "requested_by"),
        "trouble",
        "served_queues",
        "known_kinds",
        ("running_jobs", "abandoned_threads"),
        "memory",
        "living_children",
        (STARTED, HEARD),
    )
    readonly_fields = (
        *("served_queues", "known_kinds", "running_jobs", "memory", "living_children"),
        *(STARTED, HEARD),
    )

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def board(self, request: HttpRequest) -> dict[str, Any]:
        from forge_jobs.dashboard.processes import Fleet

        fleet = Fleet.read(now=clock.now())
        for card in fleet.cards:
            card.buttons.extend(self.row_buttons(request, card.row))
        return {"fleet": fleet}

    @admin.display(description=_("queues"))
    def served_queues(self, process: Process) -> str:
        return ", ".join(process.queues)

    @admin.display(description=_("kinds"))
    def known_kinds(self, process: Process) -> str:
        return ", ".join(process.kinds)

    @admin.display(description=_("running"))
    def running_jobs(self, process: Process) -> str:
        """`threads` counts places for coroutines, too."""
        told = {"running": process.running, "places": process.threads}
        return _("%(running)s of %(places)s at once") % told

    @admin.display(description=_("memory"))
    def memory(self, process: Process) -> str:
        return _size(process.rss_bytes)

    @admin.display(description=_("children"))
    def living_children(self, process: Process) -> str:
        return in_lines(_told(child) for child in process.children.order_by("pid"))

    @Button(
        title=_("Make quiet"),
        permission="stop_process",
        question=_("Let %(row)s claim nothing more?"),
        explanation=_("It finishes what it runs, and then waits until it may claim again."),
        suits=lambda process: (
            process.state == ProcessState.RUNNING
            and process.requested_state not in (ProcessState.QUIET, ProcessState.STOPPING)
        ),
        acts_at_once=True,
        undo="forge_jobs_unquiet_process",
    )
    def forge_jobs_quiet_process(self, request: HttpRequest, process: Process) -> str:
        asked = Process.objects.filter(pk=process.pk).make_quiet(by=who(request))
        return _("Process %s was asked to be quiet.") % process if asked else ""

    @Button(
        title=_("Let it claim again"),
        permission="stop_process",
        question=_("Let %(row)s claim jobs again?"),
        suits=lambda process: process.requested_state == ProcessState.QUIET,
        acts_at_once=True,
        undo="forge_jobs_quiet_process",
    )
    def forge_jobs_unquiet_process(self, request: HttpRequest, process: Process) -> str:
        asked = Process.objects.filter(pk=process.pk).let_claim(by=who(request))
        return _("Process %s may claim jobs again.") % process if asked else ""

    @Button(
        title=_("Ask to stop"),
        permission="stop_process",
        question=_("Ask %(row)s to stop?"),
        explanation=_(
            "It ends as it would at SIGTERM: what runs has the shutdown timeout to finish, "
            "everything else goes back to its queue. One of several processes of a runjobs, or "
            "one in a container of its own, is replaced at once by a fresh one, so that this is a "
            "restart. A single one ends with exit code 0; whether it is started again is up to "
            "whatever started it."
        ),
        suits=lambda process: ProcessState.STOPPING not in (process.state, process.requested_state),
        is_dangerous=True,
    )
    def forge_jobs_stop_process(self, request: HttpRequest, process: Process) -> str:
        asked = Process.objects.filter(pk=process.pk).stop(by=who(request))
        return _("Process %s was asked to stop.") % process if asked else ""


def _told(child: Child) -> str:
    facts = {
        "child": child,
        "jobs": child.jobs_done,
        "memory": _size(child.rss_bytes),
        "job": child.job_id,
    }
    if child.job_id is None:
        return _("%(child)s, %(memory)s, jobs done: %(jobs)s") % facts
    return _("%(child)s, %(memory)s, jobs done: %(jobs)s, runs #%(job)s") % facts


def _size(count: int) -> str:
    """As the cards tell it."""
    from forge_jobs.templatetags.forge_jobs import size

    return size(count)
