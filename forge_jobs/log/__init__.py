"""Turns signals into log lines; nothing else in forge_jobs logs."""

import logging
from typing import Final

from forge_jobs import signals
from forge_jobs.log import children, jobs, processes, schedules
from forge_jobs.log.looks import JSONFormatter, TextFormatter, take_over

__all__ = ["JSONFormatter", "TextFormatter", "log_jobs", "log_trouble", "logger"]

logger: Final = logging.getLogger("forge_jobs")


def log_jobs() -> None:
    """Log every finished run, not only those that failed."""
    signals.job_finished.connect(jobs.job_ended_well, dispatch_uid="forge_jobs.log.job_ended_well")


def log_trouble() -> None:
    """Log what somebody should know of."""
    logger.addFilter(take_over)
    for lines in (children, jobs, processes, schedules):
        for signal, receiver in lines.RECEIVERS.items():
            name = f"{receiver.__module__}.{receiver.__name__}"
            signal.connect(receiver, dispatch_uid=name)
