"""From places to rows: batches that may grow, and gates for what comes after others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from forge_jobs import db, wake
from forge_jobs.db.rows import NewRow, PredecessorRow
from forge_jobs.enqueueing.place import After, Place
from forge_jobs.exceptions import InvalidOption
from forge_jobs.models import Batch, Job
from forge_jobs.models.circles import Waiting
from forge_jobs.models.promotion import follow_on_commit
from forge_jobs.states import BatchState

T = TypeVar("T")

BATCH: Final = 5_000
BATCH_ID: Final = NewRow._fields.index("batch_id")
"""It is followed by the gate's, and they are the last: `_replace` takes ten times as long."""


def placed(rows: Sequence[NewRow], places: Sequence[Place | None]) -> list[NewRow]:
    """The rows in their batches and behind their gates, in the current transaction.

    Jobs that come after the same share a gate. Raises `InvalidOption`.
    """
    distinct = list({id(place): place for place in places if place}.values())
    _refuse_full(distinct)
    behind = list(dict.fromkeys(place.after for place in distinct if place.after))
    _refuse_missing(behind)
    _refuse_circles(distinct)
    gates = _gates(behind)
    if distinct:
        follow_on_commit(gates=gates.values())
        wake.on_commit(wake.STOP)  # so that processes look for followers
    of = {id(place): (place.batch, gates.get(place.after)) for place in distinct}
    return [
        NewRow._make((*row[:BATCH_ID], *of[id(place)], row[-1])) if place else row
        for row, place in zip(rows, places, strict=True)
    ]


def _refuse_full(places: Iterable[Place]) -> None:
    """An open batch stays open until the current transaction ends: whoever seals it waits."""
    asked = {(place.batch, place.is_inside) for place in places if place.batch is not None}
    for batch, is_inside in sorted(asked):
        if is_inside:
            state = Batch.objects.filter(pk=batch).values_list("state", flat=True).first()
        else:
            with db.connection().cursor() as cursor:
                state = db.twin().hold_batch(cursor, batch=batch)
        if state is None:
            raise InvalidOption(
                f"batch {batch} does not exist, or can't be seen in this transaction.",
                field="batch",
            )
        if state != BatchState.OPEN and not (is_inside and state == BatchState.SEALED):
            raise InvalidOption(
                f"batch {batch} is {state}: only its own jobs may add others, by ctx.batch, until "
                f"it ends.",
                field="batch",
            )


def _refuse_missing(behind: Iterable[tuple[After, ...]]) -> None:
    after = {one for those in behind for one in those}
    jobs = sorted({one.job for one in after if one.job is not None})
    batches = sorted({one.batch for one in after if one.batch is not None})
    with db.connection().cursor() as cursor:
        lacking = [some for some in _slices(jobs) if db.twin().count_jobs(cursor, some) < len(some)]
    for model, slices in ((Job, lacking), (Batch, _slices(batches))):
        for some in slices:
            there = set(model.objects.filter(pk__in=some).values_list("pk", flat=True))
            if missing := set(some) - there:
                raise InvalidOption(
                    f"after: the {model._meta.verbose_name} {min(missing)} does not exist, or "
                    f"can't be seen in this transaction.",
                    field="after",
                )


def _gates(behind: Sequence[tuple[After, ...]]) -> Mapping[tuple[After, ...], int]:
    if not behind:
        return {}
    with db.connection().cursor() as cursor:
        gates = db.twin().insert_gates(cursor, number=len(behind))
        rows = [
            PredecessorRow(gate, place, one.job, one.batch, one.needs)
            for gate, after in zip(gates, behind, strict=True)
            for place, one in enumerate(after)
        ]
        for some in _slices(rows):
            db.twin().insert_predecessors(cursor, some)
    return dict(zip(behind, gates, strict=True))


def _refuse_circles(places: Collection[Place]) -> None:
    """A batch that waits for one of its jobs, which waits for the batch, would never end."""
    joining = [place for place in places if place.batch is not None and place.after]
    waiting_for = {
        batch: Waiting.on([batch]) for batch in {one.batch for one in joining} if batch is not None
    }
    jobs = {one.job for place in joining for one in place.after if one.job is not None}
    gates = _gates_of(jobs if any(waiting.gates for waiting in waiting_for.values()) else ())
    for batch, waiting in waiting_for.items():
        left = joining
        while more := [place for place in left if _waits(place, waiting, gates)]:
            if any(place.batch == batch for place in more):
                raise InvalidOption(
                    f"after: what waits for batch {batch} can't be what one of its jobs waits for.",
                    field="after",
                )
            left = [place for place in left if not _waits(place, waiting, gates)]
            waiting |= Waiting.on({place.batch for place in more if place.batch is not None})


def _waits(place: Place, waiting: Waiting, gates: Mapping[int, int]) -> bool:
    """Whether it is among those that wait, though it is not stored yet."""
    return any(
        one.batch in waiting.batches if one.job is None else gates.get(one.job) in waiting.gates
        for one in place.after
    )


def _gates_of(jobs: Collection[int]) -> Mapping[int, int]:
    gates: dict[int, int] = {}
    for some in _slices(sorted(jobs)):
        behind = Job.objects.filter(pk__in=some, gate__isnull=False)
        gates.update(behind.values_list("pk", "gate_id"))
    return gates


def _slices(rows: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
