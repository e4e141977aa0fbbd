"""Counts what the finalizer announces, and keeps some of it as events, until that is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any, Final, NamedTuple

from forge_jobs import clock
from forge_jobs.handlers.outcomes import Expired, Outcome, Released, Snoozed
from forge_jobs.metrics.tally import Tally, Work
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.settlements import Finished
from forge_jobs.states import Event, State

MOST_ORDINARY: Final = 200
"""How many events of what goes well are kept until the next write."""

MOST_EXCEPTIONAL: Final = 4_000
"""How many of the others; of what comes beyond that, only the number."""

MOST_TIMED: Final = 2_000
"""Of how many runs the durations are looked at one by one until the next write."""

TIMED_OF_A_GROUP: Final = 16
"""Of how many in each group beyond that; each stands for some others."""

LONG_SECONDS: Final = 1.0
"""A run that lasts for longer is told of before it ends."""

LONGEST_DETAIL: Final = 500
TERMINAL_EVENTS: Final = (Event.SUCCEEDED, Event.DEAD)
UNTIMED: Final = (Event.THROTTLED, Event.SNOOZED)
ORDINARY: Final = (Event.SUCCEEDED, Event.SNOOZED, Event.RELEASED)
EVENTS: Final = {
    State.SUCCEEDED: Event.SUCCEEDED,
    State.RETRYING: Event.RETRIED,
    State.DEAD: Event.DEAD,
    State.CANCELLED: Event.CANCELLED,
    State.SCHEDULED: Event.THROTTLED,
    State.READY: Event.RELEASED,
}
COLUMNS: Final[dict[Event, str]] = {event: event.value for event in EVENTS.values()} | {
    Event.SNOOZED: "snoozed"
}

Alike = tuple[str, str, State, type[Outcome]]
"""Of runs that are counted together: queue, kind, state and outcome."""


class Happening(NamedTuple):
    """An event of a job, without what a payload or a result would weigh."""

    job_id: int
    at: datetime
    event: Event
    attempt: int
    seconds: float | None = None
    detail: str = ""
    place: str = ""
    """Where it was run, if not in the process itself."""


@dataclass
class Recorded:
    """What came of runs since the last write."""

    tallies: defaultdict[Work, Tally] = field(default_factory=lambda: defaultdict(Tally))
    ordinary: list[Happening] = field(default_factory=list)
    exceptional: list[Happening] = field(default_factory=list)
    dropped: int = 0
    timed: int = 0

    def happenings(self) -> list[Happening]:
        return sorted([*self.ordinary, *self.exceptional], key=lambda one: one.at)

    def keep(self, happenings: Iterable[Happening]) -> None:
        """Keep what is exceptional, as far as there is room."""
        happenings = list(happenings)
        room = max(0, MOST_EXCEPTIONAL - len(self.exceptional))
        self.exceptional += happenings[:room]
        self.dropped += len(happenings[room:])

    def keep_ordinary(self, happenings: Iterable[Happening]) -> None:
        """Keep as much as there is room for; nobody asks for the rest."""
        room = MOST_ORDINARY - len(self.ordinary)
        if room > 0:
            self.ordinary += islice(happenings, room)


class Recorder:
    """Called by the finalizer for each group; so what is done here for each job costs throughput.

    Nothing of it grows with the number of jobs: an outage of the database does not fill the
    memory.
    """

    def __init__(self) -> None:
        self.counted_up_to = 0
        """The id up to which the meter has counted jobs that were enqueued."""
        self._lock = Lock()
        self._recorded = Recorded()
        self._told: set[tuple[int, str]] = set()

    def record(self, group: Sequence[Finished], held: AbstractSet[int]) -> None:
        """Count the runs of a group whose claims still held."""
        alike: defaultdict[Alike, list[Finished]] = defaultdict(list)
        for finished in group:
            job = finished.job
            if job.id in held and type(finished.outcome) is not Expired:  # which is no run
                state, outcome = finished.transition.state, type(finished.outcome)
                alike[job.queue, job.kind, state, outcome].append(finished)
        now = clock.now()
        with self._lock:
            for (queue, kind, state, outcome), runs in alike.items():
                event = EVENTS[state]
                if event is Event.THROTTLED and issubclass(outcome, Snoozed):
                    event = Event.SNOOZED
                was_run = event is not Event.RELEASED and not issubclass(outcome, Released)
                tally = self._recorded.tallies[Work(queue, kind)]
                self._count(tally, event, runs, now, was_run=was_run)
            if self._told:
                self._told -= {(run.job.id, run.job.claimed_at) for run in group}

    def begin(self, runs: Iterable[Run], *, now: datetime, moment: float) -> None:
        """Tell of runs that last; `moment` is `now` by the monotonic clock."""
        with self._lock:
            for run in runs:
                claim, seconds = (run.job.id, run.job.claimed_at), moment - run.began_at
                if seconds > LONG_SECONDS and claim not in self._told and not run.has_ended:
                    self._told.add(claim)
                    self._recorded.tallies[Work(run.job.queue, run.job.kind)].counts["started"] += 1
                    began_at = now - timedelta(seconds=seconds)
                    started = Happening(run.job.id, began_at, Event.STARTED, run.job.attempt)
                    self._recorded.keep([started._replace(place=run.context.place)])

    def take(self) -> Recorded:
        """All that has been recorded since the last time."""
        with self._lock:
            taken, self._recorded = self._recorded, Recorded()
        return taken

    def put_back(self, taken: Recorded) -> None:
        """Keep what could not be written, for the next time."""
        with self._lock:
            newer, self._recorded = self._recorded, taken
            for work, tally in newer.tallies.items():
                taken.tallies[work].merge(tally)
            taken.keep_ordinary(newer.ordinary)
            taken.keep(newer.exceptional)
            taken.dropped += newer.dropped

    def _count(
        self,
        tally: Tally,
        event: Event,
        runs: Sequence[Finished],
        now: datetime,
        *,
        was_run: bool,
    ) -> None:
        counts = tally.counts
        counts[COLUMNS[event]] += len(runs)
        if was_run:
            counts["started"] += len(runs) - self._told_of(runs)
        if event is Event.SUCCEEDED and runs[-1].transition.is_forgotten:
            counts["enqueued"] += sum(
                run.job.id > self.counted_up_to for run in runs if run.transition.is_forgotten
            )
        if was_run and event not in UNTIMED:
            self._recorded.timed += _time(tally, event, runs, now, stride=self._stride(len(runs)))
        if event in ORDINARY:
            self._recorded.keep_ordinary(self._happenings(event, runs, now, was_run=was_run))
        else:
            self._recorded.keep(self._happenings(event, runs, now, was_run=was_run))

    def _stride(self, runs: int) -> int:
        is_much = self._recorded.timed + runs > MOST_TIMED
        return max(1, runs // TIMED_OF_A_GROUP) if is_much else 1

    def _told_of(self, runs: Sequence[Finished]) -> int:
        if not self._told:
            return 0
        return sum((run.job.id, run.job.claimed_at) in self._told for run in runs)

    def _happenings(
        self, event: Event, runs: Sequence[Finished], now: datetime, *, was_run: bool
    ) -> Iterable[Happening]:
        for job, transition, _outcome, seconds, _is_stored in runs:
            at = transition.finished_at or now
            if not was_run:
                yield Happening(job.id, at, event, job.attempt)
                continue
            place = transition.process_name or ""
            if (job.id, job.claimed_at) not in self._told:
                began_at = at - timedelta(seconds=seconds)
                yield Happening(job.id, began_at, Event.STARTED, job.attempt, place=place)
            detail = transition.last_error[:LONGEST_DETAIL]
            yield Happening(job.id, at, event, job.attempt, seconds, detail, place)


def _time(
    tally: Tally, event: Event, runs: Sequence[Finished], now: datetime, *, stride: int
) -> int:
    """Add durations for all, though it looks only at some; returns at how many."""
    run_time, wait = tally.durations["run_time"], tally.durations["wait"]
    latency = tally.durations["latency"] if event in TERMINAL_EVENTS else None
    chosen = runs[::stride]
    left = len(runs)
    for job, transition, _outcome, seconds, _is_stored in chosen:
        times = min(stride, left)
        left -= times
        end = (transition.finished_at or now).timestamp()
        run_time.add(seconds, times)
        if (due := _seconds(job.run_at)) is not None:
            wait.add(end - seconds - due, times)
        if latency is not None:
            latency.add(end - job.enqueued_at, times)
    return len(chosen)


def _seconds(run_at: Any) -> float | None:
    """Since 1970; SQLite's is a text in UTC, and None comes of one that is no moment."""
    if isinstance(run_at, datetime):
        return run_at.timestamp()
    try:
        return datetime.fromisoformat(run_at).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
