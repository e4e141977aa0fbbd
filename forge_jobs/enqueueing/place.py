"""Where a job stands among others: in which batch, and after what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from forge_jobs.exceptions import InvalidOption
from forge_jobs.states import Needs
from forge_jobs.wording import quoted

if TYPE_CHECKING:
    from forge_jobs.enqueueing.enqueue import EnqueuedJobs
    from forge_jobs.models import Batch, Job

    One: TypeAlias = Job | Batch | EnqueuedJobs | int
    Predecessors: TypeAlias = One | Iterable[One]


class After(NamedTuple):
    """One job or one batch, by its id, and how it must have ended."""

    job: int | None
    batch: int | None
    needs: Needs


@dataclass(frozen=True, slots=True)
class Place:
    """`is_inside` says that a job of the batch itself adds another: then it may be sealed."""

    batch: int | None = None
    is_inside: bool = False
    after: tuple[After, ...] = ()


def place_of(
    batch: Batch | int | None, *, after: object, after_end: object, after_failure: object
) -> Place | None:
    """None for a job that stands alone; raises `InvalidOption`."""
    given = (
        (after, "after", Needs.SUCCESS),
        (after_end, "after_end", Needs.END),
        (after_failure, "after_failure", Needs.FAILURE),
    )
    if batch is None and all(value is None for value, _, _ in given):
        return None
    return Place(
        _batch_id(batch),
        bool(getattr(batch, "is_of_this_job", False)),
        tuple(
            one
            for value, field, needs in given
            if value is not None
            for one in _each(value, field=field, needs=needs)
        ),
    )


def _batch_id(given: Any) -> int | None:
    from forge_jobs.models import Batch

    match given:
        case Batch(pk=int(pk)) | int(pk) if not isinstance(given, bool):
            return pk
        case None:
            return None
        case Batch():
            raise InvalidOption("batch is not stored: open it by batch(name).", field="batch")
    raise InvalidOption(
        f"batch must be a Batch or the id of one, not {quoted(given)}.", field="batch"
    )


def _each(given: Any, *, field: str, needs: Needs) -> Iterator[After]:
    from forge_jobs.enqueueing.enqueue import EnqueuedJobs
    from forge_jobs.models import Batch, Job

    match given:
        case EnqueuedJobs():
            for pk in given.ids:
                yield After(pk, None, needs)
        case Job(pk=int(pk)) | int(pk) if not isinstance(given, bool):
            yield After(pk, None, needs)
        case Batch(pk=int(pk)):
            yield After(None, pk, needs)
        case str() | bytes() | Mapping() | bool():
            raise _refused(given, field)
        case Iterable():
            for one in given:
                yield from _each(one, field=field, needs=needs)
        case _:
            raise _refused(given, field)


def _refused(given: object, field: str) -> InvalidOption:
    return InvalidOption(
        f"{field} must be jobs or batches that are stored, or ids of jobs, not {quoted(given)}.",
        field=field,
    )
