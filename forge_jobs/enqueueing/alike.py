"""Many jobs of which most are alike: what they have in common is checked once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from forge_jobs.conf import conf
from forge_jobs.enqueueing.draft import Draft
from forge_jobs.enqueueing.place import moved
from forge_jobs.handlers.handler import UNSET, JobHandler

PLACE: Final = Draft._fields.index("place")


class Drafts:
    """One draft for all that follow each other and are given the very same options.

    Those that come after another job each have theirs, of which nothing else is checked again.
    """

    def __init__(self) -> None:
        self._kind: object = None
        self._options: Mapping[str, Any] = {}
        self._draft: Draft | None = None
        self._lasts: bool | None = None

    def of(self, kind: str | JobHandler, options: Mapping[str, Any]) -> Draft:
        """Raises as `Draft.of()` does."""
        draft = self._draft
        is_alike = kind is self._kind and options.keys() == self._options.keys()
        if draft and is_alike and self._is_to_last(draft):
            differing = self._differing(options)
            if not differing:
                return draft
            if differing == ["after"] and (behind := self._behind(options["after"])):
                return behind
        self._kind, self._options = kind, {**options}
        self._draft, self._lasts = Draft.of(kind, **options), None
        return self._draft

    def _differing(self, options: Mapping[str, Any]) -> list[str]:
        """What is only equal differs: it may be refused, as `True` is for a number."""
        last = self._options
        return [name for name, value in options.items() if value is not last[name]]

    def _behind(self, after: Any) -> Draft | None:
        """The same after another job; None if either comes after anything else than one job."""
        draft, ones = self._draft, _ones()
        if draft and draft.place and ones.issuperset(map(type, (after, self._options["after"]))):
            return Draft._make((*draft[:PLACE], moved(draft.place, after), None))
        return None

    def _is_to_last(self, draft: Draft) -> bool:
        if self._lasts is None:
            self._lasts = lasts(draft, self._options, self._options.values())
        return self._lasts


def lasts(draft: Draft, names: Collection[str], values: Iterable[object]) -> bool:
    """Whether one more draft, made of the same options later, could be no other.

    It could be where time has a say, or somebody's function; or what was given has changed since.
    """
    return (
        draft.extras is None
        and "delay" not in names
        and (conf().is_routed_by_rule or bool(draft.handler.queue))
        and _unchanging().issuperset(map(type, values))
    )


@cache
def _ones() -> frozenset[type]:
    from forge_jobs.models import Job

    return frozenset({int, Job})


@cache
def _unchanging() -> frozenset[type]:
    from forge_jobs.enqueueing.enqueue import EnqueuedJobs
    from forge_jobs.models import Batch, Job

    plain = {str, int, float, bool, type(None), type(UNSET), timedelta, datetime}
    return frozenset({*plain, Job, Batch, EnqueuedJobs})
