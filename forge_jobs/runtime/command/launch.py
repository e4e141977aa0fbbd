"""From what `runjobs` was asked for to a running process, or a supervisor and its processes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.db import Error

from forge_jobs import wake
from forge_jobs.exceptions import ProcessNameTaken
from forge_jobs.runtime import pools
from forge_jobs.runtime.command import cuda
from forge_jobs.runtime.command.births import (
    Births,
    Forks,
    FreshInterpreters,
    Orders,
    Ties,
    burial_code,
    bury,
    print_error,
)
from forge_jobs.runtime.command.console import Console
from forge_jobs.runtime.command.farewell import Farewell
from forge_jobs.runtime.command.heaps import share_heaps
from forge_jobs.runtime.command.reload import stop_on_change
from forge_jobs.runtime.command.shutdown import (
    ORDERLY,
    leave,
    leave_at_once,
    obey_supervisor,
    stop_on_signals,
    supervised_code,
)
from forge_jobs.runtime.command.supervisor import Birth, Supervisor
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.options import Options
from forge_jobs.runtime.retirement import Limits, Notices
from forge_jobs.runtime.running.forks import end_those_left_behind
from forge_jobs.runtime.sessions import (
    close_connections,
    share_with_threads,
    sharing_with_threads,
    take_over,
)
from forge_jobs.signals import forks_forgone

LONGEST_DELAY: Final = 30.0
LONGEST_DELAY_IN_DEVELOPMENT: Final = 1.0
FIRST_PROCESS: Final = 1


@dataclass(frozen=True, kw_only=True)
class Launch:
    """The options of `runjobs`; `processes` of None is a single process without a supervisor."""

    queues: Mapping[str, int]
    threads: int
    async_concurrency: int
    name: str
    poll_interval: timedelta
    shutdown_timeout: timedelta
    drain: bool = False
    processes: int | None = None
    max_jobs: int | None = None
    max_memory_bytes: int | None = None
    spawn: bool = False
    reload: bool = False
    health_file: Path | None = None

    def run(self, console: Console) -> None:
        """Returns after an orderly end, else leaves with an exit code.

        Raises `ProcessNameTaken`, `ChildUnfit` or a database error before a job has started.
        """
        console.attach()
        share_heaps()
        if orders := Orders.received():
            sys.exit(self.obey(orders, console))
        # Or each process would walk over all that is there by now, again and again, and so copy it
        # where it was forked; and once more at its end, which takes most of the time of a stop.
        gc.freeze()
        if not self.is_supervised:
            lifecycle = Lifecycle()
            stop_on_signals(lifecycle)
            console.introduce(processes=1, threads=self.threads)
            take_over(self.name)
            with sharing_with_threads():
                engine = self.signed_on(self.name, Limits(), lifecycle)
                engine.run()
            end_those_left_behind()
            leave(engine)
        elif code := self.supervise(console):
            sys.exit(code)

    @property
    def is_supervised(self) -> bool:
        """The first process of a container is: somebody must see to processes left to it."""
        return bool(
            self.processes
            or self.max_jobs
            or self.max_memory_bytes
            or self.spawn
            or self.reload
            or os.getpid() == FIRST_PROCESS
        )

    def supervise(self, console: Console) -> int:
        notices = Notices()
        births = self.births(notices, console)
        close_connections()
        return Supervisor(
            name=self.name,
            processes=self.processes or 1,
            start=births.start,
            bury=births.bury,
            notices=notices,
            arrivals=births.arrivals,
            drain=self.drain,
            longest_delay=LONGEST_DELAY_IN_DEVELOPMENT if self.reload else LONGEST_DELAY,
        ).run()

    def births(self, notices: Notices, console: Console) -> Births:
        reason = "" if self.spawn or self.reload else cuda.driver_in_use()
        if reason:
            forks_forgone.send_robust(Launch, reason=reason)
        if self.spawn or self.reload or reason:
            return FreshInterpreters(notices=notices)
        wake.listener()  # so that what it needs is loaded once
        supervisor = os.getpid()
        return Forks(lambda birth: self.live(birth, console, Ties(supervisor, notices.give)))

    def obey(self, orders: Orders, console: Console) -> int:
        """In a fresh interpreter."""
        if orders.birth is None:
            return burial_code(orders.names)
        return self.live(orders.birth, console, orders.ties())

    def live(self, birth: Birth, console: Console, ties: Ties) -> int:
        """A supervised process, from its birth to its exit code."""
        limits = Limits(
            max_jobs=self.max_jobs,
            max_memory_bytes=self.max_memory_bytes,
            supervisor=ties.supervisor,
            make_way=ties.make_way,
        )
        lifecycle = Lifecycle()
        obey_supervisor(lifecycle)
        take_over(birth.name)
        share_with_threads()
        if birth.is_first and birth.number == 1:
            console.introduce(processes=self.processes or 1, threads=self.threads)
        died = 0
        if not birth.is_first:
            try:
                died = bury([birth.name])
            except (ProcessNameTaken, Error) as error:  # will be met again, after the delay
                print_error(error)
        if lifecycle.await_stop(within=birth.delay):
            return ORDERLY
        if self.reload:
            stop_on_change(lifecycle)
        engine = self.signed_on(birth.name, limits, lifecycle)
        ties.arrive()
        engine.run()
        end_those_left_behind()
        code = supervised_code(engine, died_before=died)
        if engine.is_stuck:
            leave_at_once(code)
        return code

    def signed_on(self, name: str, limits: Limits, lifecycle: Lifecycle) -> Engine:
        pools.start(queues=self.queues, lifecycle=lifecycle)
        engine = Engine.signed_on(self.options(name, limits), lifecycle=lifecycle)
        Farewell(engine.workers, timeout=self.shutdown_timeout).attach()
        return engine

    def options(self, name: str, limits: Limits) -> Options:
        return Options(
            queues=self.queues,
            threads=self.threads,
            async_concurrency=self.async_concurrency,
            name=name,
            poll_interval=self.poll_interval,
            shutdown_timeout=self.shutdown_timeout,
            drain=self.drain,
            limits=limits,
            health_file=self.health_file,
        )
