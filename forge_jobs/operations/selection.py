"""Which jobs an operator means."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, TextField, Value
from django.db.models.functions import Cast, Lower, StrIndex
from django.db.models.lookups import Exact, GreaterThan

from forge_jobs.conf import conf
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job, JobLabel, State
from forge_jobs.models.base import constants
from forge_jobs.models.job_queryset import JobQuerySet
from forge_jobs.states import TERMINAL


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Those in one of the states that fit everything that is not None.

    A `kind` that ends with `*` is a prefix. `older_than`, `newer_than`, `since` and `until` go by
    when a job finished, or when it was enqueued if it has not. `error` is a part of the last
    error, `text` of that or of the payload. `error_line` is the first line of the last error; one
    that ends with `*` is its beginning.
    """

    states: Collection[State]
    ids: Collection[int] | None = None
    queue: str | None = None
    label: str | None = None
    kind: str | None = None
    batch: int | None = None
    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    since: datetime | None = None
    until: datetime | None = None
    error: str | None = None
    text: str | None = None
    error_line: str | None = None

    def finished(self, *, now: datetime) -> JobQuerySet:
        jobs = self._narrowed(Job.objects.finished())
        return jobs.filter(self.aged("finished_at", now=now))

    def unfinished(self, *, now: datetime) -> JobQuerySet:
        jobs = self._narrowed(Job.objects.unfinished())
        return jobs.filter(self.aged("enqueued_at", now=now))

    def left_out(self) -> list[str]:
        """The ids of jobs that are in none of the states, each with the reason."""
        given = set(self.ids or ())
        states = dict(Job.objects.filter(pk__in=given).values_list("pk", "state"))
        others = sorted(pk for pk in given if states.get(pk) not in self.states)
        return [f"#{pk} ({states.get(pk, 'no such job')})" for pk in others]

    def aged(self, moment: str, *, now: datetime) -> Q:
        """The bounds of a column that tells when something happened to a job."""
        bounds = Q()
        if self.older_than is not None:
            bounds &= Q((f"{moment}__lt", now - self.older_than))
        if self.newer_than is not None:
            bounds &= Q((f"{moment}__gt", now - self.newer_than))
        if self.since is not None:
            bounds &= Q((f"{moment}__gte", self.since))
        if self.until is not None:
            bounds &= Q((f"{moment}__lt", self.until))
        return bounds

    def stretch(self, *, now: datetime) -> tuple[datetime | None, datetime | None]:
        """The same as the two moments between which it happened."""
        after = None if self.newer_than is None else now - self.newer_than
        before = None if self.older_than is None else now - self.older_than
        return (
            max(filter(None, (self.since, after)), default=None),
            min(filter(None, (self.until, before)), default=None),
        )

    @property
    def words(self) -> Q:
        """What is said of kind, batch, label, error and text.

        No word is matched by LIKE: on SQLite it takes `a` for `A`.
        """
        said = self.of_kind
        if self.batch is not None:
            said &= Q(batch=self.batch)
        if self.label is not None:
            said &= Q(pk__in=JobLabel.objects.filter(label=self.label).values("job"))
        if self.error is not None:
            said &= Q(GreaterThan(StrIndex("last_error", Value(self.error)), 0))
        if self.error_line is not None and self.error_line.endswith("*"):
            said &= _begins(self.error_line.removesuffix("*"))
        elif self.error_line is not None:
            said &= Q(last_error=self.error_line) | _begins(f"{self.error_line}\n")
        if self.text is not None:
            found = Q(GreaterThan(StrIndex("last_error", Value(self.text)), 0))
            payload = Cast("payload", TextField())
            in_payload = Q()
            for spelling in _inside_json(self.text):
                in_payload |= Q(GreaterThan(StrIndex(payload, Value(spelling)), 0))
            said &= found | (in_payload & ~_hides_something())
        return said

    @property
    def of_kind(self) -> Q:
        if self.kind is None:
            return Q()
        if self.kind.endswith("*"):
            return Q(Exact(StrIndex("kind", Value(self.kind.removesuffix("*"))), 1))
        return Q(kind=self.kind)

    def _narrowed(self, jobs: JobQuerySet) -> JobQuerySet:
        jobs = jobs.filter(self.words, state__in=constants(self.states))
        if self.ids is not None:
            jobs = jobs.filter(pk__in=self.ids)
        if self.queue is not None:
            jobs = jobs.filter(queue=self.queue)
        return jobs


def _begins(text: str) -> Q:
    return Q(Exact(StrIndex("last_error", Value(text)), 1))


def moment_of(state: str) -> str:
    """The column that says since when a job has been in a state, as selections go by it."""
    return "finished_at" if state in TERMINAL else "enqueued_at"


def _hides_something() -> Q:
    """Whether there is a hidden value in the payload: to find by it would be to read it."""
    hides = _has_any(conf().redact)
    for handler in registry.handlers():
        if handler.redact:
            hides |= Q(kind=handler.kind) & _has_any(handler.redact)
    return hides


def _has_any(names: Collection[str]) -> Q:
    """Whether one of the names is one of the payload, at any depth; their case does not matter."""
    payload = Lower(Cast("payload", TextField()))
    spellings = {
        f'"{spelled.lower()}":'
        for name in names
        for one in (name, name.lower())
        for spelled in _inside_json(one)
    }
    has = Q(pk__in=[])
    for spelling in spellings:
        has |= Q(GreaterThan(StrIndex(payload, Value(spelling)), 0))
    return has


def _inside_json(text: str) -> set[str]:
    """How a text may be spelled inside of a stored JSON string: as we do, and as Django does."""
    return {json.dumps(text, ensure_ascii=is_ascii)[1:-1] for is_ascii in (False, True)}
