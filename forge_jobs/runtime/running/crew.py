"""Who runs the jobs of a process: its workers, and, if it has coroutines, a loop beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Process
from forge_jobs.runtime.claiming.buffer import Buffer
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.options import Options
from forge_jobs.runtime.running.beginning import Beginning
from forge_jobs.runtime.running.calls import Caller
from forge_jobs.runtime.running.calls_apart import CallerApart
from forge_jobs.runtime.running.coroutines import Coroutines
from forge_jobs.runtime.running.ends import Ends
from forge_jobs.runtime.running.failures import Failures
from forge_jobs.runtime.running.handling import Handling
from forge_jobs.runtime.running.keeping import Claimed
from forge_jobs.runtime.running.loops import Loops
from forge_jobs.runtime.running.members import Call
from forge_jobs.runtime.running.solo import Count, Solo
from forge_jobs.runtime.running.sorter import Sorter, coroutines_among
from forge_jobs.runtime.running.sync_threads import SyncThreads
from forge_jobs.runtime.running.worker import Worker
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.runtime.settlements import Settlements
from forge_jobs.runtime.write_turn import WriteTurn
from forge_jobs.wake.local import Bell

if TYPE_CHECKING:
    from forge_jobs.runtime.running.loop_thread import LoopThread


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
    turn: WriteTurn,
    writing: AbstractContextManager[object],
    claiming_stops: Event,
    lifecycle: Lifecycle,
) -> tuple[Workers, Buffer]:
    """The workers, none of them started, and what they take their jobs from."""
    office = Office(
        process,
        doors=doors,
        settlements=settlements,
        writing=writing,
        stopping=claiming_stops,
        lifecycle=lifecycle,
    )
    kinds = coroutines_among(process.kinds) if options.async_concurrency else frozenset[str]()
    size, waiting = options.async_concurrency if kinds else 0, deque[ClaimedJob]()
    threads = SyncThreads(size=options.threads, fail=lifecycle.fail)
    loops = Loops(
        partial(office.loop, size=size, waiting=waiting, threads=threads),
        threads=threads,
        ends=office.ends,
        lifecycle=lifecycle,
    )
    coroutines = Coroutines(
        kinds, size=size, waiting=waiting, loops=loops, release=settlements.release
    )
    holding: dict[str, Any] = {
        "doors": doors,
        "queues": options.queues,
        "release": settlements.release,
    }
    buffer = Sorter(bell, **holding, coroutines=coroutines) if kinds else Buffer(bell, **holding)
    solo = Solo(lambda: Count.now(workers.work_done()[0]), turn=turn)
    workers = Workers(
        partial(office.worker, buffer=buffer, solo=solo),
        size=options.threads,
        solo=solo,
        ends=office.ends,
        lifecycle=lifecycle,
        coroutines=coroutines,
        loops=loops,
    )
    return workers, buffer


def caller(process: Process, call: Call, handler: ChunkHandler[Any], **parts: Any) -> Caller:
    """Who calls in the thread that asks, or in a child."""
    if handler.isolation:
        return CallerApart(call, handler, process=process.pk, **parts)
    return Caller(call, handler, **parts)


class Office:
    """Makes those who run jobs, of what they share and what each has for itself."""

    def __init__(
        self,
        process: Process,
        *,
        doors: Mapping[str, Door],
        settlements: Settlements,
        writing: AbstractContextManager[object],
        stopping: Event,
        lifecycle: Lifecycle,
    ) -> None:
        self.ends = Ends(settlements)
        self._process = process
        self._beginning = Beginning(process, doors=doors, writing=writing, stopping=stopping)
        self._failures = Failures(stopping=stopping)
        self._shared: dict[str, Any] = {
            "ends": self.ends,
            "process_name": process.name,
            "store": Claimed(process, stopping=stopping),
            "fail": lifecycle.fail,
        }

    def worker(self, number: int, *, buffer: Buffer, solo: Solo) -> Worker:
        refused, failures, ends = self._beginning.refused, self._failures, self.ends
        return Worker(
            number,
            buffer=buffer,
            solo=solo,
            handling=Handling(
                self._process, refused=refused, failures=failures, settled=ends.settled
            ),
            caller_of=partial(
                caller,
                self._process,
                refused=refused,
                failures=failures,
                report=ends.report,
                report_alike=ends.report_alike,
            ),
            **self._shared,
        )

    def loop(
        self, number: int, *, size: int, waiting: deque[ClaimedJob], threads: SyncThreads
    ) -> LoopThread:
        # Not before there is a use for it: it is not small.
        from forge_jobs.runtime.running.loop_handling import LoopHandling
        from forge_jobs.runtime.running.loop_thread import LoopThread

        return LoopThread(
            number,
            size=size,
            waiting=waiting,
            threads=threads,
            handling=LoopHandling(
                beginning=self._beginning, failures=self._failures, ends=self.ends
            ),
            **self._shared,
        )
