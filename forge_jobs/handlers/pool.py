"""Jobs of a kind that run in warm children: programs in any language, which speak in lines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Unpack

from forge_jobs.children.pool import Pool
from forge_jobs.children.program import Program
from forge_jobs.exceptions import ChildUnfit, InvalidHandler
from forge_jobs.handlers.conversation import Conversation
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.outcomes import Interrupted, Outcome
from forge_jobs.handlers.registry import HandlerOptions, give
from forge_jobs.wording import quoted

if TYPE_CHECKING:
    from forge_jobs.context import JobContext

MOST_CHILDREN: Final = 1_000
UNFIT_DELAY: Final = timedelta(seconds=10)
"""For how long a job is put off that no child could be started for."""


class SubprocessPool(JobHandler):
    """Runs jobs in `size` children of the program `argv`, which each process of `runjobs` has.

    `env` is added to the environment of `runjobs`, `cwd` is where children begin. One is replaced
    after `max_jobs`, and when it uses more than `max_memory` bytes. With `ready=True` it must say
    `{"ready": true}` within `startup_timeout`, before it is given a job.

    The other options are those of `@job`; `timeout` is ten minutes unless given, and
    `max_concurrent_per_process` is `size`. Raises `InvalidHandler`, which names the `field`.
    """

    ends_itself = True
    timeout = timedelta(minutes=10)
    pool: Pool

    def __init__(
        self,
        kind: str,
        argv: Sequence[str | os.PathLike[str]],
        *,
        size: int = 1,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        ready: bool = False,
        startup_timeout: timedelta | float = 30.0,
        max_jobs: int | None = None,
        max_memory: int | None = None,
        **options: Unpack[HandlerOptions],
    ) -> None:
        self.kind = kind
        program = Program(
            name=kind,
            argv=argv,
            env=env or {},
            cwd=cwd,
            ready=ready,
            startup_timeout=startup_timeout,
            max_jobs=max_jobs,
            max_memory=max_memory,
        )
        self.pool = pool_of(program, size=size)
        self.max_concurrent_per_process = size
        give(self, options, by="SubprocessPool()", also=list(Program.__annotations__)[1:])

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> object:
        return run_in(self.pool, ctx, payload)


def pool_of(program: Program, *, size: int) -> Pool:
    """Raises `InvalidHandler`."""
    if type(size) is not int or not 1 <= size <= MOST_CHILDREN:
        raise InvalidHandler(
            f"size of {program.name} must be 1 to {MOST_CHILDREN:,}, not {quoted(size)}.",
            field="size",
        )
    return Pool(program, size=size)


def run_in(pool: Pool, ctx: JobContext, payload: dict[str, Any]) -> Outcome:
    """What a job comes to in a child; raises `Cancelled` and `JobTimedOut`."""
    conversation = Conversation(ctx, payload, program=pool.program)
    try:
        return pool.lend(conversation.hold, heed=conversation.heed_alone)
    except ChildUnfit as error:  # the job has not begun
        return Interrupted(str(error), delay=UNFIT_DELAY)
