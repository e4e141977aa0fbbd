"""What the runs of a job have stored for those after them, as people may see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, F, TextField, When
from django.db.models.functions import Cast
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext as _

from forge_jobs.dashboard.documents import parsed
from forge_jobs.dashboard.payloads import StoredSize
from forge_jobs.handlers.secrecy import shown
from forge_jobs.models import Job, JobStep, Role

MOST: Final = 100
LARGEST: Final = 10_000
"""A larger value is not even fetched: there may be a thousand."""
ROOM: Final = 100_000
"""How many characters of all of them a page shows, the newest before the others."""
LONGEST_LINE: Final = 100


@dataclass(frozen=True, kw_only=True)
class StoredStep:
    """`text` is JSON of one or of many lines, or of a cursor how far it has come."""

    name: str
    role: str
    at: datetime
    text: str

    @property
    def title(self) -> str:
        return self.name or _("checkpoint")

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1

    @property
    def is_long(self) -> bool:
        return self.lines > 1


def stored_steps(job: Job) -> Sequence[StoredStep]:
    """The newest of them, in the order in which they were begun."""
    is_small = LessThanOrEqual(StoredSize(F("value")), LARGEST)
    text = Case(When(is_small, then=Cast("value", TextField())), output_field=TextField())
    rows = JobStep.objects.filter(job_id=job.pk).order_by("-pk")
    found, room = [], ROOM
    for name, role, at, stored in rows.values_list("name", "role", "at", text)[:MOST]:
        room -= len(stored or "")
        told = _told(role, name, stored if room >= 0 else None, kind=job.kind)
        found.append(StoredStep(name=name, role=role, at=at, text=told))
    return found[::-1]


def _told(role: str, name: str, stored: str | None, *, kind: str) -> str:
    if stored is None:
        return _("too large to be shown")
    value = shown({name: parsed(stored)}, kind=kind)[name]
    if role == Role.CURSOR and isinstance(value, dict):
        return _of_cursor(value)
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= LONGEST_LINE else json.dumps(value, indent=2, ensure_ascii=False)


def _of_cursor(value: dict[str, Any]) -> str:
    rows = value.get("visited")
    told = {"rows": f"{rows:,}" if isinstance(rows, int) else "?", "key": value.get("after")}
    if value.get("is_over"):
        return _("%(rows)s rows done, which are all") % told
    return _("%(rows)s rows done, up to %(key)s") % told
