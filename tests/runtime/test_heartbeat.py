"""The heartbeat: what a process tells of itself, and how it comes back from the dead."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from forge_jobs import JobContext, __version__, clock, job
from forge_jobs.clock import ManualClock, MeasuredClock
from forge_jobs.log import log_trouble
from forge_jobs.models import Lease, Process, ProcessState
from forge_jobs.runtime import registration
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.heartbeat import Heartbeat
from forge_jobs.runtime.registration import Heard, measure_clock
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.factories import process_named
from tests.running import PATIENCE, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def idle(manual_clock: ManualClock, tmp_path: Path) -> Engine:
    """A process that has signed on at NOON, and whose threads do not run."""
    return engine(health_file=tmp_path / "healthy")


@pytest.fixture
def heartbeat(idle: Engine) -> Heartbeat:
    return idle.heartbeat


def test_a_process_tells_what_it_is_and_does() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        ctx.cancelled.wait(PATIENCE)

    subject.enqueue()
    with running(engine(threads=3, async_concurrency=2, shutdown_timeout=0.1)) as working:
        eventually(lambda: bool(working.workers.runs()))
        working.heartbeat.run_once(now=NOON)
        process = Process.objects.get()

    assert process.version == __version__
    assert (process.queues, process.threads, process.running) == (["default"], 3 + 2, 1)
    assert "tests.subject" in process.kinds
    assert process.state == ProcessState.RUNNING
    assert process.rss_bytes > 2**20
    assert not process.trouble


def test_a_process_that_has_just_signed_on_need_not_say_so_at_once(heartbeat: Heartbeat) -> None:
    assert timedelta(0) < heartbeat.rests_at_first <= heartbeat.interval


def test_a_beat_is_of_the_moment_in_which_it_is_stored(
    heartbeat: Heartbeat, manual_clock: ManualClock
) -> None:
    manual_clock.advance(MINUTE)  # that is how long something held it up

    assert heartbeat.run_once(now=NOON) == 1
    assert Process.objects.get().heartbeat_at == NOON + MINUTE


def test_a_process_that_was_given_up_signs_on_as_the_one_it_was(
    heartbeat: Heartbeat, manual_clock: ManualClock
) -> None:
    pk = Process.objects.get().pk
    Process.objects.all().delete()
    manual_clock.advance(MINUTE)

    assert heartbeat.run_once(now=NOON) == 0
    assert Process.objects.get().pk == pk
    assert Process.objects.get().heartbeat_at == NOON + MINUTE


def test_a_process_whose_name_was_taken_meanwhile_stops(idle: Engine, heartbeat: Heartbeat) -> None:
    mine = Process.objects.get()
    Process.objects.all().delete()
    process_named(mine.name, host=mine.host, pk=mine.pk + 1)
    heartbeat.run_once(now=NOON + MINUTE)

    assert "Another process has taken the name" in idle.failure


def test_a_slow_answer_makes_the_clock_late_and_never_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = iter([10.0, 10.4])
    monkeypatch.setattr(clock, "elapsed", lambda: next(moments))
    heard = registration.hear()

    assert heard.at == 10.4
    assert heard.took == pytest.approx(0.4)


def test_a_jump_of_the_clock_is_told_and_is_the_process_s_trouble_until_it_is_settled(
    heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    off = MINUTE - MINUTE
    monkeypatch.setattr(registration, "hear", lambda: Heard({}, NOON + off, at=0.0, took=0.0))
    monkeypatch.setattr(clock, "measured", MeasuredClock())
    caplog.set_level("INFO", logger="forge_jobs")
    log_trouble()
    measure_clock()
    troubles = []
    for off in (HOUR, HOUR, HOUR, HOUR, -HOUR, HOUR):  # noqa: B007 - read by the lambda
        heartbeat.run_once(now=NOON)
        troubles.append(Process.objects.get().trouble)

    jumped = "The clock has jumped 3,600 s ahead; nothing goes by that unless it lasts."
    back = "The clock has jumped 7,200 s back; nothing goes by that unless it lasts."
    assert troubles == [jumped, jumped, "", "", back, ""]
    assert caplog.messages == [
        "the clock has jumped 1 h 0 min ahead: nothing goes by that yet",
        "the clock stays 1 h 0 min ahead: this is the time now",
        "the clock has jumped 2 h 0 min back: nothing goes by that yet",
        "the clock is right again, after it had jumped 2 h 0 min back",
    ]


def test_the_health_file_is_touched_only_by_a_process_that_can_work(
    idle: Engine, heartbeat: Heartbeat, tmp_path: Path
) -> None:
    file = tmp_path / "healthy"
    idle.fetcher.came_round_at -= 90
    heartbeat.run_once(now=NOON)
    assert not file.exists()
    assert "not got to claiming jobs for 90 s" in Process.objects.get().trouble

    idle.fetcher.came_round_at += 90
    heartbeat.run_once(now=NOON)
    assert file.exists()
    assert not Process.objects.get().trouble


def test_the_lease_is_handed_on_at_the_end() -> None:
    with running(engine()) as first:
        eventually(lambda: first.fetcher.is_alive() and first.leader.leads)
    with running(engine(name="second")) as second:
        eventually(lambda: second.fetcher.is_alive() and second.leader.leads)
        assert Lease.objects.get().process == second.process


def test_a_process_that_is_quiet_finishes_what_runs_and_takes_nothing() -> None:
    with running(engine()) as subject:
        eventually(lambda: subject.fetcher.is_alive())
        subject.lifecycle.be_quiet()
        told_at = time.monotonic()
        eventually(lambda: subject.fetcher.came_round_at > told_at)
        assert subject.lifecycle.state == ProcessState.QUIET
        stored = noop.enqueue()
        subject.lifecycle.retire("it is time")
        eventually(lambda: not Process.objects.exists())

    stored.refresh_from_db()
    assert stored.state == "ready"
