"""One page of jobs out of millions: walks the index that suits the filter, and looks so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Q

from forge_jobs import db
from forge_jobs.dashboard.endings import LAST_FINISHED, Endings
from forge_jobs.dashboard.list_page import JobPage, for_people, for_programs
from forge_jobs.dashboard.look import Look
from forge_jobs.dashboard.order import FIRST_FETCH, LATEST, Order, Place, Step
from forge_jobs.models import Job, State
from forge_jobs.models.base import Constant
from forge_jobs.models.job_filters import EPOCH
from forge_jobs.models.job_queryset import JobQuerySet
from forge_jobs.operations.selection import Selection, moment_of
from forge_jobs.states import TERMINAL

PAGE: Final = 50
LOOK: Final = 5_000
"""How many jobs a request looks through at most; of those only asked for their kind more."""
COUNTED: Final = 100
"""Up to how many jobs of a kind are counted: others lie between, and are passed over."""

NEWEST: Final = Order(("-id",))
QUEUE_BY_QUEUE: Final = Order(("queue", "-priority", "run_at", "id"))
NEXT_CLAIMED: Final = Order(("-priority", "run_at", "id"))
NEXT_DUE: Final = Order(("run_at", "id"))
LABELLED: Final = Order(("-labelled",))
LONGEST_RUNNING: Final = Order(("started_at", "number"))
BY_KEY: Final = Order(("concurrency_key", "run_at", "id"))


@dataclass(frozen=True, kw_only=True)
class JobList:
    """The jobs of a selection; of one state, or of all where it names more."""

    selection: Selection
    now: datetime

    @property
    def state(self) -> State | None:
        states = list(self.selection.states)
        return states[0] if len(states) == 1 else None

    @property
    def order(self) -> Order:
        if self._is_by_label:
            return LABELLED
        match self.state:
            case None:
                return NEWEST
            case State.READY:
                return QUEUE_BY_QUEUE if self.selection.queue is None else NEXT_CLAIMED
            case State.RUNNING:
                return LONGEST_RUNNING
            case State.BLOCKED:
                return BY_KEY
            case State.SCHEDULED | State.RETRYING | State.HELD:
                return NEXT_DUE
            case _:
                return LAST_FINISHED

    def page(
        self, *, after: Place | None = None, before: Place | None = None, size: int = PAGE
    ) -> JobPage:
        """For people: with short payloads, and of a first page how many there are."""
        counts = after is None and before is None and self.must_look_to_count
        counted = self._counted if counts else 0
        return self._page(for_people(), after=after, before=before, size=size, counted=counted)

    def bare_page(
        self, *, after: Place | None = None, before: Place | None = None, size: int = PAGE
    ) -> JobPage:
        """For programs: with labels, and no further looked than it takes to fill it."""
        return self._page(for_programs(), after=after, before=before, size=size, counted=0)

    def _page(
        self, rows: Any, *, after: Place | None, before: Place | None, size: int, counted: int
    ) -> JobPage:
        is_backward = before is not None
        start = before if is_backward else after
        wanted = max(size, counted) + 1
        first = wanted if self.narrowing is None else FIRST_FETCH
        walk = self.walk(start=start, is_backward=is_backward, first=first)
        look = Look(walk, wanted=wanted, bound=LOOK)
        shown, has_more = look.found[:size], len(look.found) > size
        beyond = shown[-1] if has_more else None
        back = start if not shown else shown[0]
        if is_backward:
            shown.reverse()
        return JobPage(
            jobs=self._of_places(shown, rows),
            before=beyond if is_backward else (back if start else None),
            after=back if is_backward else beyond,
            looked_to=None if has_more or look.is_over else look.last,
            matched=len(look.found) if counted else None,
            looked=look.looked,
            is_all=bool(counted) and look.is_over,
        )

    @property
    def _counted(self) -> int:
        return LOOK - 1 if self.narrowing is not None else COUNTED

    @property
    def narrowing(self) -> Q | None:
        """What no index knows of, so that jobs have to be looked at one by one; None if nothing."""
        if self._is_by_label:
            return self._within_label
        fits = replace(self.selection, kind=None).words
        if self.state not in TERMINAL:
            fits &= self.selection.aged(moment_of(self.state or ""), now=self.now)
        if self.selection.queue is not None and self.state not in (State.READY, *TERMINAL):
            fits &= Q(queue=self.selection.queue)
        if self.state == State.SCHEDULED:
            fits &= Q(state=State.SCHEDULED)
        return fits or None

    @property
    def _is_by_label(self) -> bool:
        """Whether the jobs of a label are gone through, the newest first, whatever else is said."""
        return self.selection.label is not None and self.selection.ids is None

    @property
    def _within_label(self) -> Q | None:
        fits = replace(self.selection, label=None).words
        fits &= self.selection.aged(moment_of(self.state or ""), now=self.now)
        if self.selection.queue is not None:
            fits &= Q(queue=self.selection.queue)
        if self.state is not None:
            fits &= Q(state=self.state)
        return fits or None

    @property
    def must_look_to_count(self) -> bool:
        """Whether neither the totals by queue and state nor an index tell how many there are."""
        if self.selection.kind is not None or self._is_by_label:
            return True
        has_ages = bool(self.selection.aged("enqueued_at", now=self.now))
        return bool(self.selection.words) or (has_ages and self.state not in TERMINAL)

    def _of_places(self, places: Sequence[Place], jobs: Any) -> list[Job]:
        """The jobs themselves, those that are still as they were sought."""
        rows = jobs.in_bulk([place[-1] for place in places])
        there = [rows[place[-1]] for place in places if place[-1] in rows]
        return [job for job in there if job.state in self.selection.states]

    def walk(
        self, *, start: Place | None, is_backward: bool, first: int = FIRST_FETCH
    ) -> Iterator[Step]:
        """`first` is how many are fetched at first: those after them may never be needed."""
        if self._is_of_many:
            endings = self._endings(first=first)
            return endings.walk(start=start, is_backward=is_backward, now=self.now)
        return self.order.walk(
            self._jobs(),
            within=self._within,
            fits=self.narrowing,
            of_kind=self._of_kind,
            start=start,
            is_backward=is_backward,
            first=first,
        )

    def count_finished(self, *, bound: int) -> int:
        """How many there are in a state that is over, but no more than just above a bound."""
        endings = self._endings()
        since, until = endings.since or EPOCH, endings.until or LATEST
        within = Q(finished_at__gte=since, finished_at__lt=until)
        return endings.jobs.filter(within)[: bound + 1].count()

    @property
    def _is_of_many(self) -> bool:
        """Whether no index has the jobs in their order."""
        if self.selection.ids is not None or self._is_by_label:
            return False
        return self.state in TERMINAL and (
            self.selection.queue is None or self.selection.kind is not None
        )

    @property
    def _of_kind(self) -> Q | None:
        """What jobs are only skimmed for; None if it does not matter, or is looked at anyway."""
        is_looked_at = self._is_by_label or self.selection.kind is None
        return None if is_looked_at else self.selection.of_kind

    @property
    def _within(self) -> Q:
        """The stretch of the order in which all jobs lie; without any, SQLite might sort them."""
        if self._is_by_label:
            return Q(labelled__gt=0)
        if self.state in TERMINAL:
            since = Q(finished_at__gt=EPOCH) if self.selection.since is None else Q()
            return since & self.selection.aged("finished_at", now=self.now)
        return Q(pk__gt=0) if self.state is None else Q()

    def _jobs(self) -> Any:
        """What lies in one index in the order that is wanted."""
        if self._is_by_label:
            of_label: Any = Job.objects.filter(labels__label=self.selection.label)
            return of_label.annotate(labelled=F("labels__job_id"))  # by its index, for SQLite, too
        jobs: Any = Job.objects.all()
        queue = self.selection.queue
        if self.selection.ids is not None:
            return jobs.filter(pk__in=self.selection.ids)
        match self.state:
            case None:
                return jobs
            case State.READY:
                return jobs.ready() if queue is None else jobs.ready().filter(queue=queue)
            case State.RUNNING:
                # By the id itself, SQLite would go through the table for those after it.
                return jobs.running().annotate(number=F("id") + 0)
            case State.BLOCKED:
                return jobs.blocked()
            case State.RETRYING:
                return jobs.filter(state=Constant(State.RETRYING))
            case State.SCHEDULED:
                return jobs.waiting()
            case State.HELD:
                return jobs.held()
            case state:
                return jobs.finished().filter(queue=queue, state=Constant(state))

    def _endings(self, *, first: int = FIRST_FETCH) -> Endings:
        """Finished jobs of one state, of all queues or of some kinds."""
        queue = self.selection.queue
        jobs: JobQuerySet = Job.objects.finished().filter(
            state=Constant(self.state or ""),
            queue__in=_finished_queues() if queue is None else [queue],
        )
        since, until = self.selection.stretch(now=self.now)
        knows = {"of_kind": self._of_kind, "fits": self.narrowing}
        return Endings(jobs=jobs, since=since, until=until, first=first, **knows)


def _finished_queues() -> list[str]:
    with db.connection().cursor() as cursor:
        return db.twin().finished_queues(cursor)
