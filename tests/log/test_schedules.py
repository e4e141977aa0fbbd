"""What the log says of schedules."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.dispatch import Signal

from forge_jobs import signals
from forge_jobs.log import log_trouble, schedules
from forge_jobs.models import Schedule
from tests.conftest import NOON

SCHEDULE = Schedule(name="nightly", kind="app.noop")


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """As `runjobs` has it, and as it was before at the end."""
    before = {
        signal: list(signal.receivers or ())
        for signal in vars(signals).values()
        if isinstance(signal, Signal)
    }
    log_trouble()
    yield
    for signal, receivers in before.items():
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


@pytest.mark.parametrize(
    ("signal", "sent", "level", "line"),
    [
        (
            signals.schedule_skipped,
            {"due_at": NOON},
            logging.WARNING,
            "schedule nightly skipped 2026-03-02T12:00:00+00:00, for its last job is unfinished",
        ),
        (
            signals.schedule_failed,
            {"due_at": NOON, "error": ValueError("no")},
            logging.ERROR,
            "schedule nightly made no job for 2026-03-02T12:00:00+00:00: no",
        ),
        (
            signals.schedule_failed,
            {"due_at": None, "error": ValueError("no")},
            logging.ERROR,
            "schedule nightly can't be read and is disabled: no",
        ),
        (signals.schedule_fired, {"due_at": NOON}, logging.DEBUG, "schedule nightly fired"),
    ],
)
def test_what_becomes_of_a_due_moment_is_logged(
    caplog: pytest.LogCaptureFixture,
    signal: Signal,
    sent: dict[str, Any],
    level: int,
    line: str,
) -> None:
    with caplog.at_level(logging.DEBUG, logger=schedules.logger.name):
        signal.send_robust(None, schedule=SCHEDULE, **sent)

    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (level, line)
    assert vars(record)["schedule"] == "nightly"
    assert vars(record)["due_at"] == (NOON.isoformat() if sent["due_at"] else None)
