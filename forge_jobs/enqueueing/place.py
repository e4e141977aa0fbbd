"""Where a job stands among others: in which batch, and after what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from forge_jobs.exceptions import InvalidOption
from forge_jobs.states import Needs
from forge_jobs.wording import quoted

if TYPE_CHECKING:
    from forge_jobs.enqueueing.enqueue import EnqueuedJobs
    from forge_jobs.models import Batch, Job

    One: TypeAlias = Job | Batch | EnqueuedJobs | int
    Predecessors: TypeAlias = One | Iterable[One]


SUCCESS: Final = Needs.SUCCESS


class After(NamedTuple):
    """One job or one batch, by its id, and how it must have ended."""

    job: int | None
    batch: int | None
    needs: Needs


class Place(NamedTuple):
    """`is_inside` says that a job of the batch itself adds another: then it may be sealed."""

    batch: int | None = None
    is_inside: bool = False
    after: tuple[After, ...] = ()


def place_of(
    batch: Batch | int | None, *, after: object, after_end: object, after_failure: object
) -> Place | None:
    """None for a job that stands alone; raises `InvalidOption`."""
    if batch is None and after is None and after_end is None and after_failure is None:
        return None
    behind = _read(after, "after", SUCCESS) if after is not None else ()
    if after_end is not None:
        behind += _read(after_end, "after_end", Needs.END)
    if after_failure is not None:
        behind += _read(after_failure, "after_failure", Needs.FAILURE)
    return Place(_batch_id(batch), bool(getattr(batch, "is_of_this_job", False)), behind)


def moved(place: Place, after: Job | int) -> Place:
    """As a place after another job, but after this one; raises as `place_of()` does."""
    return Place(place.batch, place.is_inside, _read(after, "after", SUCCESS) + place.after[1:])


def _read(given: Any, field: str, needs: Needs) -> tuple[After, ...]:
    if type(given) is int:
        return (After(given, None, needs),)
    if type(given) is _known().job and type(given.pk) is int:
        return (After(given.pk, None, needs),)
    return tuple(_each(given, field=field, needs=needs))


class Known(NamedTuple):
    """What may be given: looked up once, for this may be asked thousands of times."""

    job: Any
    batch: Any
    many: Any


@cache
def _known() -> Known:
    from forge_jobs.enqueueing.enqueue import EnqueuedJobs
    from forge_jobs.models import Batch, Job

    return Known(Job, Batch, EnqueuedJobs)


def _batch_id(given: Any) -> int | None:
    match given:
        case None:
            return None
        case int(pk) if not isinstance(given, bool):
            return pk
        case _ if isinstance(given, _known().batch):
            if given.pk:
                return int(given.pk)
            raise InvalidOption("batch is not stored: open it by batch(name).", field="batch")
    raise InvalidOption(
        f"batch must be a Batch or the id of one, not {quoted(given)}.", field="batch"
    )


def _each(given: Any, *, field: str, needs: Needs) -> Iterator[After]:
    known = _known()
    match given:
        case str() | bytes() | Mapping() | bool():
            raise _refused(given, field)
        case int():
            yield After(given, None, needs)
        case _ if isinstance(given, known.many):
            for pk in given.ids:
                yield After(pk, None, needs)
        case _ if isinstance(given, known.job) and given.pk:
            yield After(given.pk, None, needs)
        case _ if isinstance(given, known.batch) and given.pk:
            yield After(None, given.pk, needs)
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
