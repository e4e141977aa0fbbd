"""What came of jobs in a window, in numbers, and the way to those that are over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forge_jobs.dashboard.charts import Choice
from forge_jobs.dashboard.series import JobSeries

SHOWN: Final[dict[str, tuple[str | Promise, str]]] = {
    "enqueued": (_("enqueued"), "ready"),
    "succeeded": (_("succeeded"), "succeeded"),
    "retried": (_("retried"), "retrying"),
    "throttled": (_("throttled"), "scheduled"),
    "dead": (_("dead"), "dead"),
}
"""Each with its label and its tone."""
ENDS: Final = ("succeeded", "dead")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`query` finds the jobs that ended so in that time; those of the others went on."""

    name: str
    label: str | Promise
    tone: str
    number: int
    query: str


def outcomes(series: JobSeries, choice: Choice) -> list[Outcome]:
    narrowed = {name: value for name in ("queue", "kind") if (value := getattr(choice, name))}
    return [
        Outcome(
            name=name,
            label=label,
            tone=tone,
            number=series.totals[name],
            query=urlencode({"state": name, "since": choice.window, **narrowed})
            if name in ENDS
            else "",
        )
        for name, (label, tone) in SHOWN.items()
    ]
