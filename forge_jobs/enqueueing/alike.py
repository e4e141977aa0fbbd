"""Many jobs of which most are alike: what they have in common is checked once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from operator import is_
from typing import Any

from forge_jobs.conf import conf
from forge_jobs.enqueueing.draft import Draft
from forge_jobs.handlers.handler import UNSET, JobHandler


class Drafts:
    """One draft for all that follow each other and are given the very same options."""

    def __init__(self) -> None:
        self._kind: object = None
        self._names: tuple[str, ...] = ()
        self._values: tuple[object, ...] = ()
        self._draft: Draft | None = None
        self._lasts: bool | None = None

    def of(self, kind: str | JobHandler, options: Mapping[str, Any]) -> Draft:
        """Raises as `Draft.of()` does."""
        if self._draft and self._is_last(kind, options) and self._is_to_last(self._draft):
            return self._draft
        self._kind, self._names, self._values = kind, (*options,), (*options.values(),)
        self._draft, self._lasts = Draft.of(kind, **options), None
        return self._draft

    def _is_last(self, kind: object, options: Mapping[str, Any]) -> bool:
        """Whether nothing differs; what is only equal may be refused, as `True` is for a number."""
        return (
            kind is self._kind
            and len(options) == len(self._names)
            and all(map(is_, options.values(), self._values))
            and (*options,) == self._names
        )

    def _is_to_last(self, draft: Draft) -> bool:
        if self._lasts is None:
            self._lasts = lasts(draft, self._names, self._values)
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
def _unchanging() -> frozenset[type]:
    from forge_jobs.enqueueing.enqueue import EnqueuedJobs
    from forge_jobs.models import Batch, Job

    plain = {str, int, float, bool, type(None), type(UNSET), timedelta, datetime}
    return frozenset({*plain, Job, Batch, EnqueuedJobs})
