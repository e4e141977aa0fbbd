"""The tables."""

from forge_jobs.models.job import Job
from forge_jobs.models.process import Process
from forge_jobs.states import State

__all__ = ["Job", "Process", "State"]
