"""Tells a `Status`: for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from forge_jobs.management.rendering import (
    NOTHING,
    ago,
    clock_face,
    lasting,
    mebibytes,
    number,
    one_line,
    shortened,
    table,
)
from forge_jobs.models import Process, State
from forge_jobs.operations.status import QueueStatus, Status

LONGEST_NAME = 20
LONGEST_HOST = 12


class Report(Protocol):
    clear: ClassVar[str]
    """What is written to a terminal before the next report."""

    def of(self, status: Status) -> str: ...

    def of_trouble(self, reason: str) -> str: ...


@dataclass(frozen=True)
class TextReport:
    """A screen for people; `warn` makes a line stand out."""

    warn: Callable[[str], str]
    clear: ClassVar[str] = "\033[H\033[2J"

    def of(self, status: Status) -> str:
        leader = f"leader: {status.leader}" if status.leader else "no leader"
        blocks = [
            [one_line(f"{clock_face(status.at)}, {leader}")],
            _queues(status),
            process_table(status.processes, status),
            [self.warn(one_line(line)) for line in _warnings(status)],
        ]
        return "\n\n".join("\n".join(lines) for lines in blocks if lines)

    def of_trouble(self, reason: str) -> str:
        return self.warn(reason)


@dataclass(frozen=True)
class JSONReport:
    """A document for programs: durations in seconds, moments in ISO format."""

    indent: int | None
    clear: ClassVar[str] = ""

    def of(self, status: Status) -> str:
        return json.dumps(
            {
                "at": status.at.isoformat(),
                "leader": status.leader or None,
                "queues": [_queue_document(queue) for queue in status.queues],
                "processes": [process_document(process, status) for process in status.processes],
                "unserved": [
                    {"queue": nobody.queue, "kind": nobody.kind or None, "message": str(nobody)}
                    for nobody in status.unserved
                ],
            },
            indent=self.indent,
        )

    def of_trouble(self, reason: str) -> str:
        return json.dumps({"error": reason}, indent=self.indent)


def _queues(status: Status) -> list[str]:
    """Most projects hold no jobs: without that column the table fits a terminal."""
    holds = any(queue.counts.get(State.HELD) for queue in status.queues)
    states = [state for state in State if state != State.HELD or holds]
    heads = ["queue", *map(str, states), "lag", "served"]
    cells = (_queue_cells(queue, states) for queue in status.queues)
    return table(heads, cells, right={*map(str, states), "lag"})


def _queue_cells(queue: QueueStatus, states: Sequence[State]) -> list[str]:
    return [
        shortened(queue.name, LONGEST_NAME),
        *(number(queue.counts.get(state, 0)) for state in states),
        lasting(queue.lag) if queue.counts.get(State.READY) else NOTHING,
        _service(queue),
    ]


def _service(queue: QueueStatus) -> str:
    if not queue.is_served:
        return "no"
    if queue.is_paused:
        return "paused"
    return "cooling" if queue.cools_until else "yes"


def process_table(processes: Sequence[Process], status: Status) -> list[str]:
    if not processes:
        return ["No process runs."]
    heads = ["process", "host", "pid", "state", "running", "memory", "version", "heartbeat"]
    cells = (_process_cells(process, status) for process in processes)
    return table(heads, cells, right={"pid", "running", "memory", "heartbeat"})


def _process_cells(process: Process, status: Status) -> list[str]:
    return [
        shortened(process.name, LONGEST_NAME),
        shortened(process.host, LONGEST_HOST),
        str(process.pid),
        process.state if _is_live(process, status) else "silent",
        f"{process.running} of {process.threads}",
        mebibytes(process.rss_bytes),
        process.version,
        ago(process.heartbeat_at, now=status.at),
    ]


def _warnings(status: Status) -> list[str]:
    silent = [process for process in status.processes if not _is_live(process, status)]
    return [
        *map(str, status.unserved),
        *(f"Queue {queue.name} is paused." for queue in status.queues if queue.is_paused),
        *(
            f"Queue {queue.name} cools down until {clock_face(queue.cools_until)}, "
            f"{ago(queue.cools_until, now=status.at)}."
            for queue in status.queues
            if queue.cools_until
        ),
        *(
            f"Process {process.name} is silent: it has been lost, or has lost the database."
            for process in silent
        ),
        *(
            f"Process {process.name} is in trouble: {process.trouble}"
            for process in status.processes
            if process.trouble
        ),
    ]


def _is_live(process: Process, status: Status) -> bool:
    return process.is_live(now=status.at)


def _queue_document(queue: QueueStatus) -> dict[str, Any]:
    return {
        "name": queue.name,
        "counts": {str(state): queue.counts.get(state, 0) for state in State},
        "lag_seconds": queue.lag.total_seconds(),
        "is_served": queue.is_served,
        "is_paused": queue.is_paused,
        "cools_until": queue.cools_until and queue.cools_until.isoformat(),
    }


def process_document(process: Process, status: Status) -> dict[str, Any]:
    return {
        "name": process.name,
        "host": process.host,
        "pid": process.pid,
        "state": process.state,
        "is_live": _is_live(process, status),
        "version": process.version,
        "queues": process.queues,
        "kinds": process.kinds,
        "threads": process.threads,
        "running": process.running,
        "abandoned_threads": process.abandoned_threads,
        "rss_bytes": process.rss_bytes,
        "started_at": process.started_at.isoformat(),
        "heartbeat_at": process.heartbeat_at.isoformat(),
        "heartbeat_age_seconds": (status.at - process.heartbeat_at).total_seconds(),
        "trouble": process.trouble,
    }
