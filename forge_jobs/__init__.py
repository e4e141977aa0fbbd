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
from forge_jobs.exceptions import EnqueueError, ForgeJobsError, InvalidSchedule
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.middleware import middleware
from forge_jobs.handlers.outcomes import Cancelled, Dead, Done, Failed, Outcome, Snoozed, Throttled
from forge_jobs.handlers.registry import job, register

__version__ = "0.1.0"

__all__ = [
    "Cancelled",
    "Dead",
    "Done",
    "EnqueueError",
    "EnqueuedJobs",
    "Failed",
    "ForgeJobsError",
    "InvalidSchedule",
    "JobContext",
    "JobHandler",
    "NewJob",
    "Outcome",
    "Snoozed",
    "Throttled",
    "aenqueue",
    "aenqueue_many",
    "enqueue",
    "enqueue_many",
    "job",
    "middleware",
    "register",
    "schedule",
]
