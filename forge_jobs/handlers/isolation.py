"""The children of `isolation="process"`: fresh interpreters, which run the handlers of one kind."""

from __future__ import annotations

import os
import sys
from typing import Final

from forge_jobs.children.pool import Pool
from forge_jobs.children.program import Program
from forge_jobs.handlers.handler import MAX_CONCURRENCY, JobHandler

MODULE: Final = "forge_jobs.child.isolated"
STARTUP_SECONDS: Final = 120.0
"""For `preload` may load a model from the other end of a network."""


def children_of(handler: JobHandler) -> Pool:
    """As many as there are threads that need one; one from the start if it has much to load."""
    program = Program(
        name=handler.kind,
        argv=[sys.executable, "-m", MODULE, handler.kind, handler.preload],
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        ready=True,
        startup_timeout=STARTUP_SECONDS,
        max_memory=handler.max_memory,
    )
    size = handler.max_concurrent_per_process or MAX_CONCURRENCY
    return Pool(program, size=size, at_start=1 if handler.preload else 0)
