"""The operator's seat: Mission Control and the tables, in the project's own admin.

Every process of the project's web loads this, and few of them ever show a page: what a page needs
beyond its form and its buttons is imported by the view that shows it.
"""

from forge_jobs.admin.batch import BatchAdmin
from forge_jobs.admin.budget import RateLimitBudgetAdmin
from forge_jobs.admin.job import JobAdmin
from forge_jobs.admin.mission_control import MissionControlAdmin
from forge_jobs.admin.process import ProcessAdmin
from forge_jobs.admin.queue import QueueAdmin
from forge_jobs.admin.schedule import ScheduleAdmin
from forge_jobs.admin.tabs import HAS_API

if HAS_API:
    from forge_jobs.admin import token  # noqa: F401 - to register it

__all__ = [
    "BatchAdmin",
    "JobAdmin",
    "MissionControlAdmin",
    "ProcessAdmin",
    "QueueAdmin",
    "RateLimitBudgetAdmin",
    "ScheduleAdmin",
]
