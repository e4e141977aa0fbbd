"""How processes and the database were over time, as columns for charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from forge_jobs import db
from forge_jobs.dashboard.window import Window
from forge_jobs.db.observed import DatabaseGauges, ProcessGauges

Column = list[float | None]

OF_PROCESS: Final = ProcessGauges._fields[3:]
OF_DATABASE: Final = DatabaseGauges._fields[1:]


@dataclass(frozen=True, kw_only=True)
class GaugeSeries:
    """All columns are as long as `moments`, when the steps begin (seconds since 1970).

    `processes` has by name (with the host, where several have it): `cpu_percent` of one core,
    `rss_bytes`, `busy` threads of `threads`, `database_seconds` that a heartbeat took to be
    stored, open `connections`. `database` has `size_bytes`, `wal_bytes`, `connections`,
    `live_tuples` and `dead_tuples` of the job table, and `disk_free_bytes`. None is what nobody
    wrote down, or what can't be known.
    """

    moments: list[int]
    step_seconds: int
    processes: Mapping[str, Mapping[str, Column]]
    database: Mapping[str, Column]

    @classmethod
    def read(cls, window: Window) -> Self:
        with db.connection().cursor() as cursor:
            of_processes = db.twin().process_gauges(
                cursor, grid=window.grid, span=window.gauge_span
            )
            of_database = db.twin().database_gauges(cursor, grid=window.grid)
        processes: dict[str, dict[str, Column]] = {}
        names = Counter(name for name, _ in {row[:2] for row in of_processes})
        for name, host, place, *values in of_processes:
            unique = f"{name} ({host})" if names[name] > 1 else name
            _put(processes.setdefault(unique, _empty(OF_PROCESS, window)), place, values)
        database = _empty(OF_DATABASE, window)
        for place, *levels in of_database:
            _put(database, place, levels)
        return cls(
            moments=window.moments,
            step_seconds=window.step,
            processes=dict(sorted(processes.items())),
            database=database,
        )


def _empty(names: Sequence[str], window: Window) -> dict[str, Column]:
    return {name: [None] * window.points for name in names}


def _put(columns: dict[str, Column], place: int, values: Sequence[Any]) -> None:
    for column, value in zip(columns.values(), values, strict=True):
        column[place] = value
