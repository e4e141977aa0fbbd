"""How log lines look: one line is one line, whatever it quotes."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from forge_jobs import log, signals
from forge_jobs.log import JSONFormatter, TextFormatter
from forge_jobs.log.looks import take_over
from forge_jobs.log.processes import child_ended
from forge_jobs.runtime.command.supervisor import Child

pytestmark = pytest.mark.once

FORGED = "no\r\n12:00:00 all is well\x1b[2K\u202e\u2028\ud800"
TOLD = "no\\r\\n12:00:00 all is well\\x1b[2K\\u202e\\u2028\\ud800"


def record(message: str, *args: Any, **fields: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "forge_jobs", "msg": message, "args": args, **fields})
    made.levelname = "INFO"
    return made


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The lines of forge_jobs, as a project's own formatter writes them."""
    lines: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    ear, filters = Ear(), list(log.logger.filters)
    log.logger.addHandler(ear)
    log.logger.addFilter(take_over)
    yield lines
    log.logger.removeHandler(ear)
    log.logger.filters = filters


def test_a_line_of_text_is_one_line_whatever_it_quotes_and_whoever_logs() -> None:
    formatter = TextFormatter("%(name)s %(message)s")

    assert formatter.format(record(f"{FORGED} %s", FORGED, name="a\nb")) == f"a\\nb {TOLD} {TOLD}"
    assert (
        formatter.format(record("tab\there, Zoë 猫 👩‍🚀")) == "forge_jobs tab\\there, Zoë 猫 👩‍🚀"
    )


def test_a_traceback_stands_below_its_line_and_looks_like_none() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        text = TextFormatter("%(message)s").format(record("it failed", exc_info=sys.exc_info()))

    first, *below = text.split("\n")
    assert first == "it failed"
    assert below[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") for line in below)
    assert below[-1] == "    12:00:00 all is well\\x1b[2K\\u202e\\u2028\\ud800"
    assert "\r" not in text


def test_what_forge_jobs_quotes_is_one_line_in_a_project_s_own_format_too(heard: list[str]) -> None:
    log.log_trouble()
    signals.process_troubled.send_robust(None, trouble=FORGED)

    assert heard == [f"trouble: {TOLD}"]


def test_what_can_not_be_told_is_logged_all_the_same(heard: list[str]) -> None:
    class Unspeakable:
        def __str__(self) -> str:
            raise RuntimeError("not to be told")

    log.logger.error("%s %d", Unspeakable(), 7)

    (line,) = heard
    assert line.endswith("Unspeakable, which can't be told> 7")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1: float("nan")}, {(1, 2): 3}, [object()], "\ud800"]
)
def test_a_line_of_json_is_json_whatever_its_fields_hold(value: Any) -> None:
    looped: list[Any] = []
    looped.append(looped)

    for field in (value, looped):
        line = JSONFormatter().format(record(FORGED, field=field))
        document = json.loads(line, parse_constant=pytest.fail)
        assert "\n" not in line
        assert document["message"] == FORGED
        assert document["field"] is not None


@pytest.mark.parametrize(
    ("code", "is_well", "level", "told"),
    [
        (0, True, logging.INFO, "ended with exit code 0"),
        (3, True, logging.INFO, "ended with exit code 3: jobs died"),
        (3, False, logging.ERROR, "without an orderly end"),
        (-9, False, logging.ERROR, "was killed by SIGKILL"),
    ],
)
def test_that_jobs_died_in_a_drain_is_no_fault_of_its_process(
    caplog: pytest.LogCaptureFixture, code: int, is_well: bool, level: int, told: str
) -> None:
    child = Child(number=1, name="tested.1", pid=7, born_at=0.0)
    with caplog.at_level(logging.INFO, logger="forge_jobs"):
        child_ended(child=child, code=code, is_well=is_well)

    (line,) = caplog.records
    assert (line.levelno, told in line.getMessage()) == (level, True)
