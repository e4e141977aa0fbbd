"""What the charts of Mission Control draw: series as columns with names, tones and units.

Each chart is `{"moments": [seconds since 1970, …], "unit": …, "series": [{"name", "values", …}]}`;
a unit is `count`, `seconds`, `bytes` or `percent`. Durations differ by powers of ten, so their
charts are `logarithmic`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forge_jobs.dashboard.gauges import GaugeSeries
from forge_jobs.dashboard.series import JobSeries, Percentiles
from forge_jobs.dashboard.window import WINDOWS

Chart = dict[str, Any]

USUAL_WINDOW: Final = "30m"
MOST_LINES: Final = 12
"""Of how many processes a chart has lines."""
COUNTS: Final[Mapping[str, tuple[str | Promise, str]]] = {
    "enqueued": (_("enqueued"), "ready"),
    "succeeded": (_("succeeded"), "succeeded"),
    "retried": (_("retried"), "retrying"),
    "dead": (_("dead"), "dead"),
}
FILLED: Final = ("enqueued", "succeeded")
TONES: Final = {50: "succeeded", 95: "retrying", 99: "dead"}


@dataclass(frozen=True)
class Choice:
    """Of which jobs, and for how long: what the address of the overview says."""

    window: str = USUAL_WINDOW
    queue: str = ""
    kind: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Whatever is no window is the usual one."""
        window = query.get("window", "")
        queue, kind = (query.get(name, "").replace("\0", "") for name in ("queue", "kind"))
        return cls(window if window in WINDOWS else USUAL_WINDOW, queue, kind)

    @property
    def windows(self) -> list[tuple[str, str, bool]]:
        """The name of each window, its address, and whether it is the chosen one."""
        narrowed = {name: value for name in ("queue", "kind") if (value := getattr(self, name))}
        return [
            (name, f"?{urlencode({'window': name, **narrowed})}", name == self.window)
            for name in WINDOWS
        ]


def of_jobs(series: JobSeries, *, now: datetime) -> dict[str, Chart]:
    """How many jobs a minute, how long they waited and ran, and from enqueue to end."""
    minutes = [_minutes(moment, series.step_seconds, now=now) for moment in series.moments]
    return {
        "jobs": {
            "moments": series.moments,
            "unit": "count",
            "series": [
                {
                    "name": str(name),
                    "tone": tone,
                    "filled": column in FILLED,
                    "values": _rates(series.counts[column], minutes),
                }
                for column, (name, tone) in COUNTS.items()
            ],
        },
        **{
            name: _percentiles(series.moments, percentiles)
            for name, percentiles in series.durations.items()
        },
    }


def of_health(gauges: GaugeSeries) -> dict[str, Chart]:
    """A line for each process, or for each fact about the database."""
    moments, database = gauges.moments, gauges.database
    return {
        "database_latency": _each(gauges, "database_seconds", "seconds"),
        "memory": _each(gauges, "rss_bytes", "bytes"),
        "cpu": _each(gauges, "cpu_percent", "percent"),
        "busy": _each(gauges, "busy", "count"),
        "database_size": {
            "moments": moments,
            "unit": "bytes",
            "series": [
                {"name": str(_("database")), "tone": "ready", "values": database["size_bytes"]},
                {"name": str(_("log")), "tone": "retrying", "values": database["wal_bytes"]},
            ],
        },
        "connections": {
            "moments": moments,
            "unit": "count",
            "series": [
                *_known("all", database["connections"]),
                *_each(gauges, "connections", "count")["series"],
            ],
        },
    }


def _known(name: str, values: Sequence[float | None]) -> list[dict[str, Any]]:
    """A line, if there is anything to draw: SQLite knows of no other's connections."""
    has_any = any(value is not None for value in values)
    return [{"name": name, "tone": "ready", "values": values}] if has_any else []


def _each(gauges: GaugeSeries, column: str, unit: str) -> Chart:
    """A line for each process; where there are too many, for those that were heard of last."""
    lines = {name: columns[column] for name, columns in gauges.processes.items()}
    latest = sorted(lines, key=lambda name: _last_place(lines[name]), reverse=True)[:MOST_LINES]
    return {
        "moments": gauges.moments,
        "unit": unit,
        "series": [{"name": name, "values": lines[name]} for name in sorted(latest)],
    }


def _last_place(values: Sequence[float | None]) -> int:
    return max((place for place, value in enumerate(values) if value is not None), default=-1)


def _minutes(moment: int, step_seconds: int, *, now: datetime) -> float:
    """How long a step has lasted: the last one has only just begun."""
    return max(1.0, min(step_seconds, now.timestamp() - moment)) / 60


def _rates(counts: Sequence[float | None], minutes: Sequence[float]) -> list[float | None]:
    return [
        None if count is None else round(count / lasted, 3)
        for count, lasted in zip(counts, minutes, strict=True)
    ]


def _percentiles(moments: Sequence[int], percentiles: Percentiles) -> Chart:
    return {
        "moments": moments,
        "unit": "seconds",
        "logarithmic": True,
        "series": [
            {"name": f"p{percent}", "tone": TONES[percent], "values": values}
            for percent, values in percentiles.columns.items()
        ],
    }
