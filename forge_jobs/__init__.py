"""A fast, durable job queue for Django that lives in the project's own database.

What a name stands for is imported when somebody asks for it: a process of a web server loads no
more than its code uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forge_jobs.conf.schedules import schedule
    from forge_jobs.context import JobContext
    from forge_jobs.enqueueing.enqueue import (
        EnqueuedJobs,
        NewJob,
        aenqueue,
        aenqueue_many,
        enqueue,
        enqueue_many,
    )
    from forge_jobs.exceptions import (
        BatchFailed,
        CantWait,
        EnqueueError,
        ForgeJobsError,
        InvalidSchedule,
        JobFailed,
    )
    from forge_jobs.handlers.chunks import Chunk, chunk_job
    from forge_jobs.handlers.handler import JobHandler
    from forge_jobs.handlers.middleware import middleware
    from forge_jobs.handlers.outcomes import (
        Cancelled,
        Dead,
        Done,
        Failed,
        Outcome,
        Snoozed,
        Throttled,
    )
    from forge_jobs.handlers.registry import job, register
    from forge_jobs.sets.batches import batch, open_batch
    from forge_jobs.sets.chains import Chain, chain

__version__ = "0.1.0"

__all__ = [
    "BatchFailed",
    "Cancelled",
    "CantWait",
    "Chain",
    "Chunk",
    "Dead",
    "Done",
    "EnqueueError",
    "EnqueuedJobs",
    "Failed",
    "ForgeJobsError",
    "InvalidSchedule",
    "JobContext",
    "JobFailed",
    "JobHandler",
    "NewJob",
    "Outcome",
    "Snoozed",
    "Throttled",
    "aenqueue",
    "aenqueue_many",
    "batch",
    "chain",
    "chunk_job",
    "enqueue",
    "enqueue_many",
    "job",
    "middleware",
    "open_batch",
    "register",
    "schedule",
]

_HOMES = {
    "conf.schedules": ["schedule"],
    "context": ["JobContext"],
    "enqueueing.enqueue": [
        "EnqueuedJobs",
        "NewJob",
        "aenqueue",
        "aenqueue_many",
        "enqueue",
        "enqueue_many",
    ],
    "exceptions": [
        "BatchFailed",
        "CantWait",
        "EnqueueError",
        "ForgeJobsError",
        "InvalidSchedule",
        "JobFailed",
    ],
    "handlers.chunks": ["Chunk", "chunk_job"],
    "handlers.handler": ["JobHandler"],
    "handlers.middleware": ["middleware"],
    "handlers.outcomes": [
        "Cancelled",
        "Dead",
        "Done",
        "Failed",
        "Outcome",
        "Snoozed",
        "Throttled",
    ],
    "handlers.registry": ["job", "register"],
    "sets.batches": ["batch", "open_batch"],
    "sets.chains": ["Chain", "chain"],
}

if not TYPE_CHECKING:  # or whoever checks types would find any name here

    def __getattr__(name):
        for home, names in _HOMES.items():
            if name in names:
                value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
