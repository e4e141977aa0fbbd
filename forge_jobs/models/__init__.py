"""The tables."""

from forge_jobs.models.batch import Batch
from forge_jobs.models.budget import RateLimitBudget
from forge_jobs.models.children import Child, ChildRestart
from forge_jobs.models.event import JobEvent
from forge_jobs.models.gate import Gate, Predecessor
from forge_jobs.models.gauges import DatabaseGauge, ProcessGauge
from forge_jobs.models.job import Job
from forge_jobs.models.job_total import JobTotal
from forge_jobs.models.label import JobLabel
from forge_jobs.models.lease import Lease
from forge_jobs.models.metrics import MetricBucket, MetricSample
from forge_jobs.models.mission_control import MissionControl
from forge_jobs.models.process import Process
from forge_jobs.models.queue import Queue
from forge_jobs.models.schedule import Schedule
from forge_jobs.models.shares import Share
from forge_jobs.models.step import JobStep
from forge_jobs.models.timetable import Timetable
from forge_jobs.models.token import ApiToken
from forge_jobs.models.watermark import Watermark
from forge_jobs.states import (
    BatchState,
    ChildEnd,
    Event,
    GateState,
    Needs,
    ProcessState,
    Role,
    State,
)

__all__ = [
    "ApiToken",
    "Batch",
    "BatchState",
    "Child",
    "ChildEnd",
    "ChildRestart",
    "DatabaseGauge",
    "Event",
    "Gate",
    "GateState",
    "Job",
    "JobEvent",
    "JobLabel",
    "JobStep",
    "JobTotal",
    "Lease",
    "MetricBucket",
    "MetricSample",
    "MissionControl",
    "Needs",
    "Predecessor",
    "Process",
    "ProcessGauge",
    "ProcessState",
    "Queue",
    "RateLimitBudget",
    "Role",
    "Schedule",
    "Share",
    "State",
    "Timetable",
    "Watermark",
]
