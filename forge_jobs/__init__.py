"""A fast, durable job queue for Django that lives in the project's own database."""

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
from forge_jobs.handlers.outcomes import Cancelled, Dead, Done, Failed, Outcome, Snoozed, Throttled
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
