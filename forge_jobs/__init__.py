"""A fast, durable job queue for Django that lives in the project's own database."""

from forge_jobs.context import JobContext
from forge_jobs.enqueue import (
    EnqueuedJobs,
    NewJob,
    aenqueue,
    aenqueue_many,
    enqueue,
    enqueue_many,
)
from forge_jobs.exceptions import EnqueueError, ForgeJobsError, InvalidSchedule
from forge_jobs.handler import JobHandler
from forge_jobs.outcomes import Cancelled, Dead, Done, Failed, Outcome, Snoozed, Throttled
from forge_jobs.registry import job, register
from forge_jobs.schedules import schedule

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
    "register",
    "schedule",
]
