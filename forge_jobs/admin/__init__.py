"""The operator's seat: Mission Control and the tables, in the project's own admin."""

from forge_jobs.admin.budget import RateLimitBudgetAdmin
from forge_jobs.admin.job import JobAdmin
from forge_jobs.admin.mission_control import MissionControlAdmin
from forge_jobs.admin.process import ProcessAdmin
from forge_jobs.admin.queue import QueueAdmin
from forge_jobs.admin.schedule import ScheduleAdmin

__all__ = [
    "JobAdmin",
    "MissionControlAdmin",
    "ProcessAdmin",
    "QueueAdmin",
    "RateLimitBudgetAdmin",
    "ScheduleAdmin",
]
