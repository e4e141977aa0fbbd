"""The tables."""

from forge_jobs.models.job import Job
from forge_jobs.models.lease import Lease
from forge_jobs.models.process import Process
from forge_jobs.states import ProcessState, State

__all__ = ["Job", "Lease", "Process", "ProcessState", "State"]
