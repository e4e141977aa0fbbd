"""Who runs the jobs of a process: its workers, and, if it has coroutines, a loop beside them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from threading import Event
from typing import Any

from forge_jobs.handlers.registry import registry
from forge_jobs.models import Process
from forge_jobs.runtime.claiming.buffer import Buffer
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.options import Options
from forge_jobs.runtime.running.sorter import Sorter, coroutines_among
from forge_jobs.runtime.running.worker import Worker
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.runtime.settlements import Settlements
from forge_jobs.wake.local import Bell


def places(options: Options) -> int:
    """How many jobs a process of these options runs at once."""
    has_coroutines = options.async_concurrency and coroutines_among(registry.kinds())
    return options.threads + (options.async_concurrency if has_coroutines else 0)


def hire(
    process: Process,
    *,
    options: Options,
    bell: Bell,
    doors: Mapping[str, Door],
    settlements: Settlements,
    writing: AbstractContextManager[object],
    claiming_stops: Event,
    lifecycle: Lifecycle,
) -> tuple[Workers, Buffer]:
    """The workers, none of them started, and what they take their jobs from."""
    parts: dict[str, Any] = {
        "process": process,
        "doors": doors,
        "settlements": settlements,
        "writing": writing,
        "claiming_stops": claiming_stops,
    }
    coroutines = None
    holding: dict[str, Any] = {
        "doors": doors,
        "queues": options.queues,
        "release": settlements.release,
    }
    buffer = Buffer(bell, **holding)
    if options.async_concurrency and (kinds := coroutines_among(process.kinds)):
        # Not before there is a use for it: it is not small.
        from forge_jobs.runtime.running.coroutines import Coroutines

        coroutines = Coroutines(
            kinds,
            size=options.async_concurrency,
            threads=options.threads,
            lifecycle=lifecycle,
            **parts,
        )
        buffer = Sorter(bell, **holding, coroutines=coroutines)
    workers = Workers(
        lambda number: Worker(number, buffer=buffer, fail=lifecycle.fail, **parts),
        size=options.threads,
        settlements=settlements,
        lifecycle=lifecycle,
        coroutines=coroutines,
    )
    return workers, buffer
