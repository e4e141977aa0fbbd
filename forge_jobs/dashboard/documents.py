"""The JSON of a job as people read it: never more of it than a page can bear.

Columns are read as texts. A value may be deeper than Python can follow, or so deep and wide that
written with indents it is a thousand times as long.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from forge_jobs.handlers.secrecy import shown
from forge_jobs.models import Job

LONG: Final = 30
"""With more lines than that, JSON is folded."""
DEEPEST: Final = 40
MOST_VALUES: Final = 2_000
LONGEST_STRING: Final = 10_000
LONGEST_TEXT: Final = 40_000
LEFT_OUT: Final = "…"


@dataclass(frozen=True, kw_only=True)
class Document:
    """A JSON value of the job; of one that is too large, the beginning."""

    name: str
    title: str | Promise
    text: str

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1

    @property
    def is_long(self) -> bool:
        return self.lines > LONG

    @classmethod
    def of(cls, name: str, title: str | Promise, stored: str, *, kind: str) -> Document:
        return cls(name=name, title=title, text=_written(stored, kind=kind))


def with_texts(jobs: QuerySet[Job], *columns: str) -> QuerySet[Job]:
    """Each with what is stored in JSON columns, as it is stored: `payload_text` and so on."""
    return jobs.annotate(**{f"{name}_text": Cast(name, TextField()) for name in columns})


def texts_of(job: Job, *columns: str) -> dict[str, str | None]:
    """The same of one that has been read; None where it is gone by now."""
    texts = [f"{name}_text" for name in columns]
    found = with_texts(Job.objects.filter(pk=job.pk), *columns).values(*texts).first() or {}
    return {name: found.get(f"{name}_text") for name in columns}


def parsed(stored: str | None) -> Any:
    """The value; None for what cannot be read."""
    try:
        return json.loads(stored or "null")
    except (ValueError, RecursionError):
        return None


def value_of(stored: str | None, *, kind: str) -> Any:
    """The whole value as people may see it; None for what cannot be read."""
    try:
        value = json.loads(stored or "null", parse_constant=_nothing, parse_float=_finite)
        return shown(value, kind=kind)
    except (ValueError, RecursionError):
        return None


def _nothing(word: str) -> None:
    """For `NaN`, which is no JSON, but which somebody's own SQL may have stored."""


def _finite(text: str) -> float | None:
    number = float(text)
    return number if isfinite(number) else None


def _written(stored: str, *, kind: str) -> str:
    try:
        value = json.loads(stored)
    except (ValueError, RecursionError):
        told = _("%(size)s characters of JSON, too deep or with too long a number to be shown.")
        return told % {"size": f"{len(stored):,}"}
    text = json.dumps(
        shown(_Pruning().cut(value), kind=kind), indent=2, ensure_ascii=False, default=str
    )
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}\n{LEFT_OUT}"
    return text


class _Pruning:
    """Keeps the beginning of a value: so many levels, so many values, and so much of a text."""

    def __init__(self) -> None:
        self.left = MOST_VALUES

    def cut(self, value: Any, *, levels: int = DEEPEST) -> Any:
        self.left -= 1
        match value:
            case str():
                return value if len(value) <= LONGEST_STRING else value[:LONGEST_STRING] + LEFT_OUT
            case dict() | list() if value and (not levels or self.left < 1):
                return LEFT_OUT
            case dict():
                return self._cut_dict(value, levels - 1)
            case list():
                return self._cut_list(value, levels - 1)
        return value

    def _cut_dict(self, value: dict[str, Any], levels: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, item in value.items():
            if self.left < 1:
                kept[LEFT_OUT] = _more(len(value) - len(kept))
                break
            kept[key[:LONGEST_STRING]] = self.cut(item, levels=levels)
        return kept

    def _cut_list(self, value: list[Any], levels: int) -> list[Any]:
        kept: list[Any] = []
        for item in value:
            if self.left < 1:
                kept.append(f"{LEFT_OUT} {_more(len(value) - len(kept))}")
                break
            kept.append(self.cut(item, levels=levels))
        return kept


def _more(number: int) -> str:
    return _("%(number)s more") % {"number": f"{number:,}"}
