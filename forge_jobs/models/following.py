"""What an end sets free: batches end, gates open or break, and what is behind them goes on.

Truth is in the states of jobs and batches, asked after the commit that changed them: inside of it,
two that end last do not see each other. So all of this may be done twice, and by anybody.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Greatest

from forge_jobs import db
from forge_jobs.db.moments import PresentMoment
from forge_jobs.models.base import constants
from forge_jobs.models.batch import Batch
from forge_jobs.models.event import JobEvent
from forge_jobs.models.gate import Gate, Predecessor, judge_anew
from forge_jobs.models.job import Job
from forge_jobs.models.promotion import wake_and_promote
from forge_jobs.states import UNFINISHED, BatchState, Event, GateState, State

SLICE: Final = 500
"""How many gates or batches are judged at once."""
LARGEST_RELEASE: Final = 2_000
"""How many jobs are let go at once, and of how many it is asked who waits for them."""


class Following:
    """What is left to be seen to, in steps, so that whoever does it can do other things too."""

    def __init__(
        self,
        *,
        jobs: Iterable[int] = (),
        batches: Iterable[int] = (),
        gates: Iterable[int] = (),
        decided: Iterable[int] = (),
    ) -> None:
        self._ended = deque(jobs)
        self._batches = deque(batches)
        self._gates = deque(gates)
        self._decided = deque(decided)

    def __bool__(self) -> bool:
        return bool(self._ended or self._batches or self._gates or self._decided)

    def add(self, jobs: Iterable[int]) -> None:
        """Jobs that have ended, in whatever way."""
        self._ended.extend(jobs)

    def step(self, *, now: datetime) -> int:
        """See to one slice; returns how many jobs, gates and batches it changed."""
        if self._ended:
            jobs = _take(self._ended, LARGEST_RELEASE)
            self._batches.extend(batches_of(jobs))
            self._gates.extend(Gate.objects.behind(jobs=jobs))
            return 0
        if self._batches:
            ended = end(_take(self._batches, SLICE), now=now)
            self._batches.extend(parents_of(ended))
            self._gates.extend(Gate.objects.behind(batches=ended))
            return len(ended)
        if self._gates:
            decided = judge(_take(self._gates, SLICE))
            self._decided.extend(decided)
            return len(decided)
        return self._carry_out(_take(self._decided, SLICE), now=now) if self._decided else 0

    def finish(self, *, now: datetime) -> int:
        changed = 0
        while self:
            changed += self.step(now=now)
        return changed

    def _carry_out(self, gates: list[int], *, now: datetime) -> int:
        released, is_all = release(gates)
        cancelled = give_up(gates, now=now)
        self._ended.extend(cancelled)
        if not is_all or len(cancelled) >= LARGEST_RELEASE:
            self._decided.extend(gates)
        else:
            is_held = Job.objects.held().filter(gate=OuterRef("pk"))
            seen_to = Gate.objects.filter(~Exists(is_held), pk__in=gates)
            seen_to.exclude(state=GateState.CLOSED).update(is_done=True)
        return released + len(cancelled)


def batches_of(jobs: Collection[int]) -> set[int]:
    """The batches that these jobs are in, as far as they may end."""
    with db.connection().cursor() as cursor:
        return db.twin().batches_of(cursor, jobs)


def parents_of(batches: Collection[int]) -> set[int]:
    if not batches:
        return set()
    part = Batch.objects.filter(pk__in=batches, parent__state=BatchState.SEALED)
    return set(part.values_list("parent_id", flat=True))


def over() -> Q:
    """Batches that are complete, and of which nothing is left."""
    left = Job.objects.filter(batch=OuterRef("pk"), state__in=constants(UNFINISHED))
    parts = Batch.objects.filter(parent=OuterRef("pk"), ended_at__isnull=True)
    return Q(~Exists(left), ~Exists(parts), state=BatchState.SEALED)


def end(batches: Collection[int], *, now: datetime) -> list[int]:
    """End those of these batches of which nothing is left; returns them."""
    with db.connection().cursor() as cursor:  # asked again and again while a large one drains
        chosen = db.twin().over(cursor, batches)
    return [batch for batch in sorted(chosen) if _end(batch, now=now)]


def _end(batch: int, *, now: datetime) -> bool:
    """Asked again under its lock, for a requeue may have been quicker."""
    with _deciding():
        if not Batch.objects.filter(pk=batch).lock_free_ones():
            return False
        counts = Job.objects.filter(batch=batch).counts()
        has_failed = (
            counts.keys() & {State.DEAD, State.CANCELLED}
            or Batch.objects.filter(parent=batch, state=BatchState.FAILED).exists()
        )
        state = BatchState.FAILED if has_failed else BatchState.SUCCEEDED
        over_now = Batch.objects.filter(over(), pk=batch)
        return bool(over_now.update(state=state, ended_at=now, counts=counts))


@contextmanager
def _deciding() -> Iterator[None]:
    with transaction.atomic(using=db.connection().alias):
        db.take_turn_to_write()
        yield


def not_waiting(gates: Collection[int]) -> set[int]:
    """Those of new gates of which a predecessor has ended already; mostly none has."""
    if not gates:
        return set()
    ended = Predecessor.objects.filter(gate__gte=min(gates), gate__lte=max(gates)).ended()
    return set(gates).intersection(ended.values_list("gate_id", flat=True))


def judge(gates: Collection[int]) -> list[int]:
    """Open those whose predecessors ended as they should, and break those that can't open.

    Returns the gates that were decided: asked again under their locks, for a requeue may have been
    quicker.
    """
    among = Gate.objects.filter(pk__in=gates)
    chosen = list((among.due() | among.hopeless()).values_list("pk", flat=True))
    if not chosen:
        return []
    with _deciding():
        among = Gate.objects.filter(pk__in=Gate.objects.filter(pk__in=chosen).lock_free_ones())
        changed = list(among.due().values_list("pk", flat=True))
        _decide(changed, GateState.OPEN)
        for reason, broken in _reasons(among.hopeless().values_list("pk", flat=True)).items():
            _decide(broken, GateState.BROKEN, reason)
            changed += broken
    return changed


def _decide(gates: Collection[int], state: GateState, reason: str = "") -> None:
    if gates:
        chosen = Gate.objects.filter(pk__in=gates).closed()
        chosen.update(state=state, reason=reason, is_done=False)


def _reasons(gates: Iterable[int]) -> dict[str, list[int]]:
    """Why gates are broken: the jobs and batches that failed, in words."""
    failed = Predecessor.objects.filter(gate__in=list(gates)).failed()
    by_gate: dict[int, str] = {}
    for one in failed.select_related("job", "batch").defer("job__payload", "job__result"):
        by_gate.setdefault(one.gate_id, one.reason())
    by_reason = defaultdict(list)
    for gate, reason in by_gate.items():
        by_reason[reason].append(gate)
    return by_reason


def release(gates: Collection[int]) -> tuple[int, bool]:
    """Let those go that these gates held, as far as they are open; how many, and whether all.

    By the database's own clock, for a web process has not measured how far its own is off.
    """
    is_open = Q(gate__in=gates, gate__state=GateState.OPEN)
    given_up = Job.objects.filter(is_open).given_up().unrivalled()
    _revive(list(given_up.values_list("pk", flat=True)[:LARGEST_RELEASE]))
    with transaction.atomic(using=db.connection().alias):
        held = Job.objects.held().filter(is_open)
        rows = list(
            held.order_by("pk")
            .select_for_update(skip_locked=True, of=("self",))
            .values_list("pk", "queue", "concurrency_key")[:LARGEST_RELEASE]
        )
        if rows:
            Job.objects.filter(pk__in=[row[0] for row in rows]).update(
                state=Case(
                    When(run_at__gt=PresentMoment(), then=Value(State.SCHEDULED)),
                    When(concurrency_key__isnull=True, then=Value(State.READY)),
                    default=Value(State.BLOCKED),
                ),
                run_at=Greatest(F("run_at"), PresentMoment()),
            )
            wake_and_promote({row[1] for row in rows}, {row[2] for row in rows if row[2]})
    return len(rows), len(rows) < LARGEST_RELEASE


def _revive(jobs: list[int]) -> None:
    """Hold jobs again that were given up; one that has a rival now stays as it is."""
    if not jobs:
        return
    chosen = Job.objects.filter(pk__in=jobs).given_up().unrivalled()
    try:
        with transaction.atomic(using=db.connection().alias):
            # As a requeue locks them; judging them anew does so after the jobs.
            Gate.objects.filter(pk__in=Gate.objects.behind(jobs=jobs)).lock()
            if chosen.update(state=State.HELD, finished_at=None, cancel_reason=""):
                judge_anew(jobs)
    except IntegrityError:
        if len(jobs) > 1:
            for pk in jobs:
                _revive([pk])


def give_up(gates: Collection[int], *, now: datetime) -> list[int]:
    """Cancel those that broken gates hold, as far as nobody has locked them; returns their ids."""
    held = Job.objects.held().filter(gate__in=gates, gate__state=GateState.BROKEN)
    by_reason = defaultdict(list)
    with _deciding():
        rows = held.order_by("pk").select_for_update(skip_locked=True, of=("self",))
        for pk, reason in rows.values_list("pk", "gate__reason")[:LARGEST_RELEASE]:
            by_reason[reason].append(pk)
        for reason, jobs in by_reason.items():
            Job.objects.filter(pk__in=jobs).update(
                state=State.CANCELLED, finished_at=now, cancel_reason=reason
            )
            JobEvent.objects.note(jobs, Event.CANCELLED, at=now, detail=reason)
    return [pk for jobs in by_reason.values() for pk in jobs]


def _take(work: deque[int], most: int) -> list[int]:
    return [work.popleft() for _ in range(min(most, len(work)))]
