"""The list of jobs as a page: what its address asks for, and all that the template shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from forge_jobs.admin.base import ForgeAdmin
from forge_jobs.admin.job_acts import ACTS, JobAct
from forge_jobs.admin.job_bulk import OPERATIONS
from forge_jobs.admin.job_filter import JobFilter
from forge_jobs.conf import conf
from forge_jobs.dashboard.batch_jobs import listed
from forge_jobs.dashboard.dead_groups import DeadGroups
from forge_jobs.dashboard.job_count import JobCount
from forge_jobs.dashboard.job_line import JobLine
from forge_jobs.dashboard.job_list import JobList
from forge_jobs.dashboard.list_page import JobPage
from forge_jobs.dashboard.order import Place
from forge_jobs.dashboard.totals import Totals
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job, JobLabel
from forge_jobs.operations.selection import Selection
from forge_jobs.states import State

PLACES = ("after", "before")


@dataclass(frozen=True)
class StateLink:
    """A state (or all of them) to look at instead, with how many jobs there are."""

    name: str
    label: str
    count: int
    query: str
    is_current: bool


@dataclass(frozen=True)
class JobListPage:
    admin: ForgeAdmin
    request: HttpRequest
    now: datetime

    @cached_property
    def totals(self) -> Totals:
        return Totals.read()

    @cached_property
    def filter(self) -> JobFilter:
        queues = {*conf().queues, *self.totals.queues()}
        return JobFilter(self.request.GET, queues=queues, now=self.now)

    @cached_property
    def context(self) -> dict[str, Any]:
        faults = [] if self.filter.is_valid() else self.filter.faults()
        common = {
            "filter": self.filter,
            "states": self._state_links(),
            "kinds": registry.kinds(),
            "bulk_actions": self._acts(),
            "is_filtered": any(self.request.GET.get(name) for name in self.filter.fields),
        }
        if not faults:
            try:
                return {**common, "faults": [], **self._found()}
            except BadPlace as error:
                faults = [str(error)]
        return {**common, "faults": faults, "lines": []}

    def _acts(self) -> list[JobAct]:
        """What a person may do to many jobs, and what can be done in the state that is shown."""
        shown = self.request.GET.get("state", "")
        nothing = Selection(states=())
        return [
            act
            for act in ACTS
            if act.is_allowed(self.request)
            and (not shown or shown in OPERATIONS[act.name](nothing, self.request).allowed)
        ]

    def _groups(self, jobs: JobList) -> DeadGroups | None:
        """Above the dead jobs of all batches, unless one group is looked at, or a further page."""
        selection = jobs.selection
        if jobs.state != State.DEAD or (selection.error_line, selection.batch) != (None, None):
            return None
        if any(self.request.GET.get(name) for name in PLACES):
            return None
        queues = self.totals.queues()
        dead = self.totals.of(queue=selection.queue or "", states=[State.DEAD])
        return DeadGroups.read(selection, queues=queues, dead=dead, now=self.now)

    def _found(self) -> dict[str, Any]:
        jobs = listed(self.filter.selection(), now=self.now)
        asked = {name: self._place(jobs, name) for name in PLACES}
        page = jobs.page(after=asked["after"], before=asked["before"])
        if asked["before"] and page.before is None and page.looked_to is None:
            page = jobs.page()  # the newest have come nearer: a full page of them
        return {
            "lines": [self._line(line) for line in self._lines(page)],
            "count": JobCount.of(jobs, page, self.totals),
            "newer": self._elsewhere(jobs, before=page.before),
            "older": self._elsewhere(jobs, after=page.after),
            "further": self._further(jobs, page, is_backward=bool(asked["before"])),
            "look": page.looked,
            "looked_to": page.looked_to[-1] if page.looked_to else None,
            "is_first": page.before is None,
            "groups": (groups := self._groups(jobs)),
            "group_lines": [
                (group, self._query(kind=group.kind, error=group.error))
                for group in (groups.shown if groups else ())
            ],
        }

    def _lines(self, page: JobPage) -> list[JobLine]:
        labels = JobLabel.objects.of([job.pk for job in page.jobs])
        return [JobLine.of(job, labels=labels.get(job.pk, ()), now=self.now) for job in page.jobs]

    def _line(self, line: JobLine) -> tuple[JobLine, str]:
        return line, self.admin.rendered_buttons(self.request, line.job)

    def _further(self, jobs: JobList, page: JobPage, *, is_backward: bool) -> str:
        return self._elsewhere(jobs, **{"before" if is_backward else "after": page.looked_to})

    def _elsewhere(self, jobs: JobList, **places: Place | None) -> str:
        """The same list from another place on; empty if there is none."""
        written = {name: jobs.order.written(place) for name, place in places.items() if place}
        return self._query(**written) if written else ""

    def _place(self, jobs: JobList, name: str) -> Place | None:
        written = self.request.GET.get(name, "")
        try:
            return jobs.order.read(written) if written else None
        except (ValueError, OverflowError):
            message = _("%(name)s: “%(place)s” is no place in this list.")
            raise BadPlace(message % {"name": name, "place": written[:100]}) from None

    def _state_links(self) -> list[StateLink]:
        queue = self.request.GET.get("queue", "")
        shown = self.request.GET.get("state", "")
        counts = self._counts_of_batch() or self.totals.by_state(queue)
        links = [("", _("All"), sum(counts.values()))]
        links += [(state.value, str(state.label), counts[state]) for state in State]
        return [
            StateLink(name, label, count, self._query(state=name) or "?", name == shown)
            for name, label, count in links
        ]

    def _counts_of_batch(self) -> dict[State, int] | None:
        """By state; None if the list is not of a batch."""
        batch = self.filter.cleaned_data.get("batch")
        if batch is None:
            return None
        counts = Job.objects.filter(batch=batch).counts()
        return {state: counts.get(state, 0) for state in State}

    def _query(self, **changes: str) -> str:
        parameters = self.request.GET.copy()
        for name in PLACES:
            parameters.pop(name, None)
        for name, value in changes.items():
            parameters[name] = value
        for name in [name for name, value in parameters.items() if not value]:
            del parameters[name]
        return f"?{parameters.urlencode()}"


class BadPlace(Exception):
    """A place to go on from that cannot be read."""
