"""Dead jobs by kind and error: what went wrong, how often, and which filter finds the jobs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Case, Count, Max, TextField, Value, When
from django.db.models.functions import Left, StrIndex
from django.db.models.lookups import GreaterThan

from forge_jobs.dashboard.endings import Endings
from forge_jobs.models import Job, State
from forge_jobs.models.base import Constant
from forge_jobs.operations.selection import Selection

LOOK: Final = 5_000
"""How many dead jobs are looked through, the last first."""
SHOWN: Final = 10
MOST_TEXTS: Final = 3
"""An error of more texts, such as with a number in each, is one group."""
LONGEST: Final = 200

NEWLINE: Final = StrIndex("last_error", Value("\n"))
FIRST_LINE: Final = Left(
    Case(
        When(GreaterThan(NEWLINE, 0), then=Left("last_error", NEWLINE - 1)),
        default="last_error",
        output_field=TextField(),
    ),
    LONGEST,
)


@dataclass(frozen=True, kw_only=True)
class DeadGroup:
    """`error` is what the list's filter takes for it; `texts` is how many errors it stands for.

    An empty `error`, of jobs that say nothing, is no filter: it would mean all jobs of the kind.
    """

    kind: str
    text: str
    error: str
    count: int
    latest: datetime
    texts: int = 1


@dataclass(frozen=True, kw_only=True)
class DeadGroups:
    """The largest first; `more` are left out, and `looked_through` is 0 if that were all jobs."""

    shown: Sequence[DeadGroup]
    more: int
    looked_through: int

    @classmethod
    def read(
        cls, selection: Selection, *, queues: Collection[str], dead: int, now: datetime
    ) -> DeadGroups:
        """Of the jobs that the selection means, in those queues; `dead` is how many are dead."""
        chosen = [selection.queue] if selection.queue is not None else sorted(queues)
        jobs = Job.objects.ended_as(State.DEAD).filter(queue__in=chosen)
        if dead > LOOK:  # all there are would be sorted
            since, until = selection.stretch(now=now)
            reach = Endings(jobs=jobs, since=since, until=until).reach(LOOK, now=now)
            jobs = jobs.filter(finished_at__gte=reach)
        jobs = jobs.filter(selection.aged("finished_at", now=now))
        last = jobs.order_by("-finished_at").values("pk")[:LOOK]
        rows = (
            Job.objects.filter(selection.words, pk__in=last, state=Constant(State.DEAD))
            .annotate(line=FIRST_LINE)
            .values_list("kind", "line")
            .annotate(count=Count("pk"), latest=Max("finished_at"))
            .order_by()
        )
        groups = sorted(grouped(Line(*row) for row in rows), key=_rank)
        return cls(
            shown=groups[:SHOWN],
            more=len(groups[SHOWN:]),
            looked_through=LOOK if dead > LOOK else 0,
        )


class Line(NamedTuple):
    """Of the dead jobs of a kind whose errors begin with this line: how many, and the last."""

    kind: str
    text: str
    jobs: int
    latest: datetime


def grouped(lines: Iterable[Line]) -> list[DeadGroup]:
    """A group for each line; for all of one class of errors, if their texts are many."""
    classes: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        classes[line.kind, _class_of(line.text)].append(line)
    groups = []
    for alike in classes.values():
        if len(alike) > MOST_TEXTS:
            groups.append(_merged(alike))
        else:
            groups += map(_of_line, alike)
    return groups


def _of_line(line: Line) -> DeadGroup:
    is_beginning = len(line.text) == LONGEST or line.text.endswith("*")
    error = f"{line.text}*" if is_beginning else line.text
    return DeadGroup(
        kind=line.kind, text=line.text, error=error, count=line.jobs, latest=line.latest
    )


def _merged(lines: Sequence[Line]) -> DeadGroup:
    beginning = _whole_words(_common_beginning([line.text for line in lines]))
    return DeadGroup(
        kind=lines[0].kind,
        text=f"{beginning}…",
        error=f"{beginning}*",
        count=sum(line.jobs for line in lines),
        latest=max(line.latest for line in lines),
        texts=len(lines),
    )


def _class_of(text: str) -> str:
    """`ValueError:` of `ValueError: no such picture`; else the first word.

    With what follows it: `Timeout` is no beginning of `TimeoutExpired`.
    """
    return re.split(r"(?<=[:\s])", text, maxsplit=1)[0]


def _common_beginning(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((place for place, (one, other) in pairs if one != other), len(first))]


def _whole_words(text: str) -> str:
    """Without the part of a word or number that errors happen to share at its end."""
    return re.sub(r"(?<=\W)\w+$", "", text)


def _rank(group: DeadGroup) -> tuple[int, float]:
    return -group.count, -group.latest.timestamp()
