"""What is done to the whole job table: mostly single statements, those of the hot path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError
from django.db.models import Q

from forge_jobs import db
from forge_jobs.db.wanted import NOTHING
from forge_jobs.models import finalizing
from forge_jobs.models.job_queryset import JobQuerySet
from forge_jobs.models.process import Process
from forge_jobs.models.promotion import pass_keys_on, promote
from forge_jobs.models.verbs import RowsManager, verb
from forge_jobs.states import State

if TYPE_CHECKING:
    from forge_jobs.db.rows import ClaimedJob, Committed, Position, Promoted, Transition
    from forge_jobs.db.wanted import Wanted
    from forge_jobs.models.job import Job  # noqa: F401 - ruff reads no base in quotes


class JobManager(RowsManager["Job", JobQuerySet]):
    """The row set's verbs, and those that are single statements on the whole table."""

    rows = JobQuerySet

    ready = verb(JobQuerySet.ready)
    running = verb(JobQuerySet.running)
    due = verb(JobQuerySet.due)
    blocked = verb(JobQuerySet.blocked)
    held = verb(JobQuerySet.held)
    waiting = verb(JobQuerySet.waiting)
    unfinished = verb(JobQuerySet.unfinished)
    finished = verb(JobQuerySet.finished)
    ended_as = verb(JobQuerySet.ended_as)
    cancellable = verb(JobQuerySet.cancellable)
    killable = verb(JobQuerySet.killable)
    unrivalled = verb(JobQuerySet.unrivalled)
    expired = verb(JobQuerySet.expired)
    labelled = verb(JobQuerySet.labelled)
    given_up = verb(JobQuerySet.given_up)
    unneeded = verb(JobQuerySet.unneeded)
    counts = verb(JobQuerySet.counts)
    join = verb(JobQuerySet.join)
    claimed_by = verb(JobQuerySet.claimed_by)
    orphaned = verb(JobQuerySet.orphaned)
    release = verb(JobQuerySet.release)
    cancel = verb(JobQuerySet.cancel)
    kill = verb(JobQuerySet.kill)
    run_now = verb(JobQuerySet.run_now)
    bring_back = verb(JobQuerySet.bring_back)
    requeue = verb(JobQuerySet.requeue)
    purge = verb(JobQuerySet.purge)

    def claim(
        self,
        *,
        queue: str,
        kinds: Sequence[str],
        limit: int,
        process: Process,
        now: datetime,
        after: Position | None = None,
    ) -> list[ClaimedJob]:
        """Take up to `limit` ready jobs for a process, in the order in which they should run."""
        claimed = db.few_or_many(
            db.twin().claim_few,
            db.twin().claim,
            queue=queue,
            kinds=kinds,
            limit=limit,
            process=process.pk,
            now=now,
            after=after,
        )
        claimed.sort(key=lambda job: (-job.priority, job.run_at, job.id))
        return claimed

    def claim_among(
        self,
        *,
        queues: Sequence[str],
        kinds: Sequence[str],
        limit: int,
        process: Process,
        now: datetime,
    ) -> list[ClaimedJob]:
        """The same from several queues: all of one that can be had, then those of the next."""
        with db.connection().cursor() as cursor:
            claimed = db.twin().claim_among(
                cursor, queues=list(queues), kinds=kinds, limit=limit, process=process.pk, now=now
            )
        turn = {queue: number for number, queue in enumerate(queues)}
        claimed.sort(key=lambda job: (turn[job.queue], -job.priority, job.run_at, job.id))
        return claimed

    def finalize(self, transitions: Sequence[Transition], *, process: Process) -> dict[int, str]:
        """Write the outcomes of runs in one statement.

        A job that somebody asked to stop does not go on to another run: it is cancelled. Returns
        the states, by id, of the jobs whose claim still held.
        """
        return finalizing.finalize(transitions, process=process)

    def finalize_and_commit(
        self, transition: Transition, *, process: Process, back: bytes
    ) -> Committed:
        """The same of one, at the end of a block of `atomic()`, which may be committed by that.

        So may its session go the way `back`, by which it is as good as new.
        """
        return finalizing.finalize_and_commit(transition, process=process, back=back)

    def finalize_and_promote(
        self,
        transitions: Sequence[Transition],
        *,
        process: Process,
        wanted: Wanted = NOTHING,
    ) -> tuple[dict[int, str], list[Promoted]]:
        """The same in one commit, which passes on the concurrency keys that it sets free.

        Returns the states, and what has become ready, or was claimed for the process because that
        wanted it; nobody is woken. Left are the keys of jobs that are forgotten, and perhaps slots
        of one key after the first.
        """
        return finalizing.finalize_and_promote(transitions, process=process, wanted=wanted)

    def carried_out(self, transitions: Sequence[Transition]) -> dict[int, str]:
        """The states of those jobs whose transitions can be seen to have been written."""
        wanted = {(change.id, change.attempt): change.state for change in transitions}
        ids = [change.id for change in transitions]
        found = self.filter(id__in=ids).values_list("id", "attempt", "state")
        written = {
            pk: state
            for pk, attempt, state in found
            if state in (wanted.get((pk, attempt)), State.CANCELLED)
        }
        forgotten = {change.id: change.state for change in transitions if change.is_forgotten}
        still_there = set(self.filter(id__in=forgotten).values_list("pk", flat=True))
        gone = {pk: state for pk, state in forgotten.items() if pk not in still_there}
        return written | gone

    def begin(self, job: ClaimedJob, *, process: Process, now: datetime) -> bool:
        """Put on record that the handler is about to be called; from now on it does not expire.

        False if the claim was lost, or the job has expired.
        """
        ours = self._held_by(job, process)
        if job.expires_at is None:
            return bool(ours.update(has_begun=True))
        in_time = Q(expires_at__gt=now) | Q(has_begun=True)  # whose answer got lost
        return bool(ours.filter(in_time).update(has_begun=True, expires_at=None))

    def expire_claimed(self, job: ClaimedJob, *, process: Process, now: datetime) -> bool:
        """Cancel a claimed job that should have begun by now; False if the claim was lost."""
        late = self._held_by(job, process).filter(expires_at__lte=now)
        return bool(late.end_as_expired(now=now))

    def _held_by(self, job: ClaimedJob, process: Process) -> JobQuerySet:
        return self.running().filter(pk=job.id, process=process, started_at=job.started_at)

    def complete(self, job: ClaimedJob, result: str | None, *, process: Process) -> bool:
        """Make a running job a success with the open transaction; False if the claim was lost.

        It runs on, with its concurrency key, until it is finalized, whatever it is finalized as.
        `result` is a JSON text.
        """
        with db.connection().cursor() as cursor:
            return db.twin().complete(
                cursor, process=process.pk, job=job.id, claimed_at=job.claimed_at, result=result
            )

    def stage(self, *, now: datetime, limit: int) -> list[str]:
        """Make up to `limit` due jobs claimable; returns the queue of each."""
        with db.connection().cursor() as cursor:
            staged = db.twin().stage(cursor, now=now, limit=limit)
        self.promote({key for _, key in staged if key})
        return [queue for queue, _ in staged]

    def promote(self, keys: AbstractSet[str]) -> int:
        """Let the oldest jobs that wait for these concurrency keys be ready, as far as they may.

        Wakes their queues; returns how many jobs.
        """
        return promote(keys)

    def pass_on(self, keys: AbstractSet[str]) -> list[Promoted]:
        """The same for keys that were just set free, if anybody waits for them; wakes nobody."""
        if not keys or not self.blocked().filter(concurrency_key__in=keys).exists():
            return []
        try:
            return pass_keys_on(keys)
        except IntegrityError:
            # A snapshot may be too old to see who has a key, where a project asks for REPEATABLE
            # READ. The promoter passes it on.
            return []

    def stalled_keys(self) -> set[str]:
        """Concurrency keys that are free, though jobs wait for them."""
        with db.connection().cursor() as cursor:
            return set(db.twin().stalled_keys(cursor))

    def ready_queues(self) -> list[str]:
        """The queues that have ready jobs."""
        with db.connection().cursor() as cursor:
            return db.twin().ready_queues(cursor)

    def ready_among(
        self, queues: Mapping[tuple[str, ...], Sequence[str]], *, depth: int | None = None
    ) -> set[tuple[tuple[str, ...], str]]:
        """Of queues, by the kinds that each is asked for, those that have any of them ready.

        Among the first so many jobs of each queue, if `depth` is given.
        """
        twin = db.twin()
        return db.few_or_many(twin.ready_among_few, twin.ready_among, queues=queues, depth=depth)

    def next_due(self) -> datetime | None:
        """When the first waiting job is due."""
        with db.connection().cursor() as cursor:
            return db.twin().next_due(cursor)
