"""From what `runjobs` was asked for to a running process, or a supervisor and its processes."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.db import Error
from django.utils import autoreload

from forge_jobs.exceptions import ChildUnfit, ProcessNameTaken
from forge_jobs.runtime import pools
from forge_jobs.runtime.command.console import Console
from forge_jobs.runtime.command.farewell import Farewell
from forge_jobs.runtime.command.reload import stop_on_change
from forge_jobs.runtime.command.shutdown import (
    FAILED,
    ORDERLY,
    STOPS,
    flush,
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
from forge_jobs.runtime.registration import reclaim_predecessor
from forge_jobs.runtime.retirement import Limits, Notices
from forge_jobs.runtime.running.forks import end_those_left_behind
from forge_jobs.runtime.sessions import close_connections, take_over

BIRTH: Final = "FORGE_JOBS_BIRTH"
"""The environment variable that tells a fresh interpreter that it is a supervisor's child."""

LONGEST_DELAY: Final = 30.0
LONGEST_DELAY_IN_DEVELOPMENT: Final = 1.0
FIRST_PROCESS: Final = 1


@dataclass(frozen=True, kw_only=True)
class Launch:
    """The options of `runjobs`; `processes` of None is a single process without a supervisor."""

    queues: Mapping[str, int]
    threads: int
    name: str
    poll_interval: timedelta
    shutdown_timeout: timedelta
    drain: bool = False
    processes: int | None = None
    max_jobs: int | None = None
    max_memory_bytes: int | None = None
    reload: bool = False
    health_file: Path | None = None

    def run(self, console: Console) -> None:
        """Returns after an orderly end, else leaves with an exit code.

        Raises `ProcessNameTaken`, `ChildUnfit` or a database error before a job has started.
        """
        console.attach()
        if birth := os.environ.pop(BIRTH, ""):
            sys.exit(self.live(Birth(**json.loads(birth)), console))
        # Or each process would walk over all that is there by now, again and again, and so copy it
        # where it was forked; and once more at its end, which takes most of the time of a stop.
        gc.freeze()
        if not self.is_supervised:
            lifecycle = Lifecycle()
            stop_on_signals(lifecycle)
            console.introduce(processes=1)
            take_over(self.name)
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
            or self.reload
            or os.getpid() == FIRST_PROCESS
        )

    def supervise(self, console: Console) -> int:
        notices = Notices()

        def start(birth: Birth) -> int:
            if self.reload:
                time.sleep(birth.delay)  # code that can't even be imported won't wait
                return spawn(replace(birth, delay=0.0))
            return fork(lambda: self.live(birth, console, make_way=notices.give))

        close_connections()
        return Supervisor(
            name=self.name,
            processes=self.processes or 1,
            start=start,
            bury=lambda names: fork(lambda: bury(names) and 0),
            notices=notices,
            drain=self.drain,
            longest_delay=LONGEST_DELAY_IN_DEVELOPMENT if self.reload else LONGEST_DELAY,
        ).run()

    def live(
        self, birth: Birth, console: Console, *, make_way: Callable[[], None] = lambda: None
    ) -> int:
        """A supervised process, from its birth to its exit code."""
        limits = Limits(
            max_jobs=self.max_jobs,
            max_memory_bytes=self.max_memory_bytes,
            supervisor=os.getppid(),
            make_way=make_way,
        )
        lifecycle = Lifecycle()
        obey_supervisor(lifecycle)
        take_over(birth.name)
        if birth.is_first and birth.number == 1:
            console.introduce(processes=self.processes or 1)
        died = 0
        if not birth.is_first:
            try:
                died = bury([birth.name])
            except (ProcessNameTaken, Error) as error:  # will be met again, after the delay
                print_error(error)
        if lifecycle.was_stopped_within(birth.delay):
            return ORDERLY
        if self.reload:
            stop_on_change(lifecycle)
        engine = self.signed_on(birth.name, limits, lifecycle)
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
            name=name,
            poll_interval=self.poll_interval,
            shutdown_timeout=self.shutdown_timeout,
            drain=self.drain,
            limits=limits,
            health_file=self.health_file,
        )


def fork(life: Callable[[], int]) -> int:
    """Run `life` in a process of its own, which ends with the code it returns; gives its pid."""
    flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # until the child knows what to do about them
    is_child = False
    try:
        is_child = not (pid := os.fork())
    finally:
        if not is_child:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    if not is_child:
        return pid
    code = FAILED
    try:
        code = life()
    except BaseException as error:  # nothing may get out into what was the supervisor
        print_error(error)
    finally:
        leave_at_once(code)


def print_error(error: BaseException) -> None:
    match error:
        case ProcessNameTaken() | ChildUnfit() | Error():
            sys.stderr.write(f"{str(error).strip()}\n")
        case _:
            traceback.print_exception(error)


def spawn(birth: Birth) -> int:
    """Start this very command anew in a fresh interpreter, with the code as it is now."""
    environment = {**os.environ, BIRTH: json.dumps(asdict(birth))}
    arguments = autoreload.get_child_arguments()
    return os.posix_spawn(arguments[0], arguments, environment)


def bury(names: list[str]) -> int:
    """Give back what processes of this host were running that are gone; how many jobs died."""
    return sum(map(reclaim_predecessor, names))
