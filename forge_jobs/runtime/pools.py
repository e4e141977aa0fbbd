"""The children of a process: started before its first claim, looked after, and ended with it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from forge_jobs.children.guardian import guardian
from forge_jobs.conf import conf
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.outage import Stopped


def start(*, queues: Collection[str], lifecycle: Lifecycle) -> None:
    """Start the children of those kinds whose jobs are for these queues, unless one says otherwise.

    Others start with their first job. Raises `ChildUnfit`. Broken off by a request to stop.
    """

    def heed() -> None:
        if not lifecycle.stop_requests.empty():
            raise Stopped

    with suppress(Stopped):
        for handler in registry.handlers():
            if handler.pool and _queue_of(handler) in queues:
                handler.pool.start(heed=heed)


def are_there() -> bool:
    return any(handler.pool for handler in registry.handlers())


def look_after() -> None:
    for handler in registry.handlers():
        if handler.pool:
            handler.pool.look_after()


def stop() -> None:
    for handler in registry.handlers():
        if handler.pool:
            handler.pool.stop()
    guardian.leave()


def _queue_of(handler: JobHandler) -> str:
    return handler.queue or conf().router(handler.kind) or "default"
