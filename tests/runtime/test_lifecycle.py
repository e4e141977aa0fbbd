"""What the main thread of a process waits for: requests to stop, and work to look after."""

import time

import pytest

from forge_jobs.runtime.lifecycle import Lifecycle
from tests.running import PATIENCE

pytestmark = pytest.mark.once


def test_work_that_begins_while_a_process_goes_to_rest_is_looked_after() -> None:
    lifecycle = Lifecycle()

    def begins_too_late_to_be_seen() -> bool:
        lifecycle.look_up()
        return False

    began = time.monotonic()
    assert not lifecycle.await_stop_or_work(within=PATIENCE, is_at_work=begins_too_late_to_be_seen)
    assert time.monotonic() - began < PATIENCE


def test_one_that_retires_is_looked_after_at_once() -> None:
    lifecycle = Lifecycle()

    def retires() -> bool:
        lifecycle.retire("it has run 5 jobs")
        return False

    began = time.monotonic()
    assert not lifecycle.await_stop_or_work(within=PATIENCE, is_at_work=retires)
    assert time.monotonic() - began < PATIENCE
    assert lifecycle.is_quiet


def test_work_is_no_request_to_stop() -> None:
    lifecycle = Lifecycle()
    for _ in range(2):
        lifecycle.look_up()  # nobody rests
    lifecycle.request_stop("SIGTERM")

    assert lifecycle.await_stop(within=PATIENCE) == "SIGTERM"
    assert not lifecycle.await_stop(within=0.0)


def test_a_request_that_comes_while_a_process_ends_is_seen_once() -> None:
    lifecycle = Lifecycle()
    assert not lifecycle.is_asked_to_stop()
    lifecycle.request_stop("SIGTERM")

    assert lifecycle.is_asked_to_stop()
    assert not lifecycle.is_asked_to_stop()
