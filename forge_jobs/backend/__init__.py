"""How do jobs come in through Django's own task API? `TASKS` names `ForgeJobsBackend`."""

from forge_jobs.backend.backend import ForgeJobsBackend
from forge_jobs.backend.task import JobTask

__all__ = ["ForgeJobsBackend", "JobTask"]
