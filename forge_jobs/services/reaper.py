"""Gives back the jobs of processes that are gone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from django.db import transaction

from forge_jobs import db, wake
from forge_jobs.conf import conf
from forge_jobs.db.observed import EventRow
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.db.written_once import Later, Moment, RowsWrittenOnce
from forge_jobs.handlers.settlement import lost
from forge_jobs.metrics.tally import Tally, Work
from forge_jobs.models import Event, Job, JobEvent, JobStep, MetricSample, Process
from forge_jobs.models.job_queryset import JobQuerySet
from forge_jobs.services.base import Service
from forge_jobs.services.hearing import Hearing
from forge_jobs.signals import job_reclaimed, process_lost
from forge_jobs.states import TERMINAL, State

COLUMNS: Final = [
    "id",
    "queue",
    "kind",
    "attempt",
    "max_attempts",
    "started_at",
    "has_begun",
    "expires_at",
]


class Reaper(Service):
    """The jobs of a process that fell silent go back, then the process is forgotten."""

    def __init__(self, hearing: Hearing) -> None:
        self.hearing = hearing
        self.interval = conf().heartbeat

    def run_once(self, *, now: datetime) -> int:
        if not self.hearing.can_judge():
            return 0
        lost = self.hearing.lost(now=now)
        given_back = sum(reclaim(process, now=now).given_back for process in lost)
        return given_back + reclaim_orphans(now=now)


class Reclaimed(NamedTuple):
    """How many jobs a lost process gave back, and how many of them are dead letters now."""

    given_back: int = 0
    died: int = 0


def reclaim(process: Process, *, now: datetime) -> Reclaimed:
    """Give back what a lost process was running, then forget the process.

    The attempt is spent, for the job may be what killed the process; a job without further
    attempts is dead. Nothing happens if the process has been heard of in the meantime.
    """
    message = f"Process {process.name} (pid {process.pid} on {process.host}) was lost."
    with transaction.atomic(using=db.connection().alias):
        silent = Process.objects.filter(pk=process.pk, heartbeat_at=process.heartbeat_at)
        if not silent.select_for_update(skip_locked=True).first():
            return Reclaimed()
        reclaimed = _give_back(Job.objects.claimed_by(process), message, process=process, now=now)
        if is_done := not Job.objects.claimed_by(process).exists():
            silent.delete()
    if reclaimed.given_back or is_done:
        process_lost.send_robust(reclaim, process=process, given_back=reclaimed.given_back)
    return reclaimed


def reclaim_orphans(*, now: datetime) -> int:
    """Give back what a process claimed after it had been given up, and then never finished.

    It has as long to come back as others have to be heard: it may claim again before its next
    heartbeat gets through, and each job that was taken from it meanwhile would run twice.
    """
    given_back = 0
    since, until = now - conf().process_timeout, now + conf().process_timeout
    abandoned = ABANDONED.read(using=db.connection().alias, since=since, until=until)
    for pk in {process for (process,) in abandoned}:
        message = f"A process that had been given up as lost (its id was {pk}) never came back."
        process = Process(pk=pk)
        with transaction.atomic(using=db.connection().alias):
            orphans = _abandoned(since, until).filter(process_id=pk)
            given_back += _give_back(orphans, message, process=process, now=now).given_back
    return given_back


def _abandoned(since: Moment, until: Moment) -> JobQuerySet:
    return Job.objects.orphaned().exclude(started_at__range=(since, until))


ABANDONED: Final = RowsWrittenOnce(
    lambda: _abandoned(
        Later.of(Job, "started_at", name="since"), Later.of(Job, "started_at", name="until")
    ).values_list("process_id")
)


def _give_back(jobs: JobQuerySet, message: str, *, process: Process, now: datetime) -> Reclaimed:
    """Those that another session has locked are left for next time: it may still hold them."""
    rows = list(jobs.select_for_update(skip_locked=True).values_list(*COLUMNS))
    moved = JobStep.objects.moved({(row[0], row[5]) for row in rows})
    as_text = db.twin().as_text
    transitions = []
    for pk, queue, kind, attempt, limit, started_at, has_begun, expires_at in rows:
        claimed_at = as_text(started_at)
        job = ClaimedJob(
            pk, queue, kind, "", "", 0, None, attempt, limit, None,
            expires_at=expires_at.timestamp() if expires_at else None, claimed_at=claimed_at,
        )  # fmt: skip
        transitions.append(
            lost(
                job,
                message,
                has_begun=has_begun,
                has_moved=pk in moved,
                now=now,
                process_name=process.name,
            )
        )
    if not transitions:
        return Reclaimed()
    for queue in {row[1] for row in rows}:
        wake.on_commit(queue)
    states = Job.objects.finalize(transitions, process=process)
    works = {row[0]: Work(queue=row[1], kind=row[2]) for row in rows}
    ours = [one._replace(state=State(states[one.id])) for one in transitions if one.id in states]
    _tell_of(ours, works, message, process_name=process.name, now=now)
    if job_reclaimed.has_listeners():
        transaction.on_commit(partial(_announce, ours, works), using=db.connection().alias)
    return Reclaimed(len(ours), sum(one.state is State.DEAD for one in ours))


def _announce(transitions: Sequence[Transition], works: Mapping[int, Work]) -> None:
    for transition in transitions:
        job_reclaimed.send_robust(
            reclaim, job_id=transition.id, kind=works[transition.id].kind, state=transition.state
        )


def _tell_of(
    transitions: Sequence[Transition],
    works: Mapping[int, Work],
    message: str,
    *,
    process_name: str,
    now: datetime,
) -> None:
    """For the jobs' process can't any more."""
    tallies: defaultdict[Work, Tally] = defaultdict(Tally)
    events = []
    for transition in transitions:
        event = Event.LOST if transition.error else Event.RELEASED
        if transition.state in TERMINAL:
            event = Event(transition.state)
        column = "released" if event is Event.LOST else event.value
        tallies[works[transition.id]].counts[column] += 1
        events.append(
            EventRow(
                transition.id,
                now,
                event,
                attempt=transition.attempt,
                process_name=process_name,
                detail=message,
            )
        )
    JobEvent.objects.write(events)
    MetricSample.objects.store(tallies, at=now)
