"""Threads of ours lend each other their sessions while they rest."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from forge_jobs import db
from forge_jobs.models import Job
from forge_jobs.runtime import keeper, sessions
from forge_jobs.runtime.service_loop import ServiceLoop
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.services.base import Service
from forge_jobs.signals import process_started
from tests.app.jobs import noop
from tests.running import PATIENCE, Manage, engine, eventually, running

if connection.vendor != "postgresql":
    pytest.skip("SQLite's sessions cost nothing", allow_module_level=True)

pytestmark = pytest.mark.django_db(transaction=True)

CALL_AND_GO_ON = """
from contextlib import suppress
from django.core.management import CommandError, call_command
from django.db import connection

with suppress(CommandError):
    call_command("runjobs", %s)
told = []
with connection.cursor() as cursor:
    for name in "lock_timeout", "idle_in_transaction_session_timeout", "enable_seqscan":
        cursor.execute(f"SHOW {name}")
        told += cursor.fetchone()
print(told)
"""


@pytest.fixture(autouse=True)
def _nothing_lies_about() -> Iterator[None]:
    keeper.shelf.close()
    yield
    keeper.shelf.close()


def in_a_thread_that_lends(act: Callable[[], Any]) -> Any:
    """What `act` returns; the thread rests afterwards."""
    found: list[Any] = []

    def work() -> None:
        sessions.lend_at_rest()
        found.append(act())
        sessions.rest()

    thread = Thread(target=work)
    thread.start()
    thread.join(PATIENCE)
    return found[0]


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid: int = cursor.fetchone()[0]
    return pid


def test_who_comes_next_goes_on_with_the_session_that_was_left() -> None:
    first, second = (in_a_thread_that_lends(backend) for _ in range(2))

    assert first == second
    assert len(keeper.shelf) == 1


def test_threads_go_on_with_the_session_of_the_one_that_starts_them() -> None:
    def begin() -> int:
        sessions.share_with_threads()
        pid = backend()
        sessions.hand_over()
        return pid

    assert in_a_thread_that_lends(begin) == in_a_thread_that_lends(backend)


def test_who_waits_until_a_loop_has_looked_goes_on_with_its_session() -> None:
    class Look(Service):
        interval = timedelta(minutes=1)
        seen = 0

        def run_once(self, *, now: datetime) -> int:
            self.seen = backend()
            return 0

    look = Look()
    loop = ServiceLoop("watch", [look], fail=pytest.fail)
    loop.start()
    assert loop.has_looked.wait(PATIENCE)
    assert in_a_thread_that_lends(backend) == look.seen
    loop.stop()
    loop.join(PATIENCE)


def test_the_one_that_starts_them_has_none_of_their_limits_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lock_timeout() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            told: str = cursor.fetchone()[0]
        return told

    def begin() -> tuple[str, str]:
        sessions.share_with_threads()
        ours = lock_timeout()
        sessions.hand_over()
        return ours, lock_timeout()

    monkeypatch.setattr(keeper.custody, "is_ours", True)
    ours, projects = in_a_thread_that_lends(begin)

    assert (ours, projects) == (db.twin().LIMITS["lock_timeout"], "0")


def test_a_thread_that_ends_leaves_its_session_to_those_that_end_later() -> None:
    class Ended(EngineThread):
        def work(self) -> None:
            sessions.lend_at_rest()
            self.backend = backend()

    thread = Ended("ended", fail=print)
    thread.start()
    thread.join(PATIENCE)

    assert in_a_thread_that_lends(backend) == thread.backend


def test_other_threads_get_none_of_these() -> None:
    lent = in_a_thread_that_lends(backend)
    connection.close()

    assert backend() != lent
    assert len(keeper.shelf) == 1


def test_one_that_is_not_as_it_was_is_closed() -> None:
    def spoil() -> int:
        pid = backend()
        connection.connection.prepare_threshold = 7
        return pid

    spoilt = in_a_thread_that_lends(spoil)

    assert len(keeper.shelf) == 0
    assert in_a_thread_that_lends(backend) != spoilt


def test_one_that_was_in_trouble_is_closed() -> None:
    def fail() -> None:
        with pytest.raises(Exception, match="no_such"), connection.cursor() as cursor:
            cursor.execute("SELECT no_such")

    in_a_thread_that_lends(fail)

    assert len(keeper.shelf) == 0


def test_one_that_is_old_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LONGEST_LIFE", 0.0)
    in_a_thread_that_lends(backend)

    assert len(keeper.shelf) == 0


def test_one_whose_server_has_gone_is_not_given_to_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = in_a_thread_that_lends(backend)
    monkeypatch.setattr(keeper, "TRUSTED_SECONDS", -1.0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [gone])

    assert in_a_thread_that_lends(backend) != gone


def test_what_a_receiver_leaves_in_a_session_comes_to_no_thread() -> None:
    def lock(**kwargs: Any) -> None:
        sessions.share_with_threads()  # as the thread did with which `runjobs` begins
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(5)")

    process_started.connect(lock)
    try:
        with running(engine()):
            noop.enqueue()
            eventually(lambda: not Job.objects.unfinished().exists())
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(5)")
                assert cursor.fetchone() == (True,)
    finally:
        process_started.disconnect(lock)
        connection.close()


@pytest.mark.parametrize("words", ["'--drain'", "'--name', 'taken'"])
def test_whoever_calls_runjobs_goes_on_with_a_session_without_our_limits(words: str) -> None:
    engine(name="taken")
    with Manage("shell", "--command", CALL_AND_GO_ON % words) as manage:
        code, output = manage.wait()

    assert (code, output.splitlines()[-1]) == (0, "['0', '0', 'on']")


def test_one_that_nobody_needed_for_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_thread_that_lends(backend)
    sessions.close_unused()
    assert len(keeper.shelf) == 1
    monkeypatch.setattr(sessions, "LONGEST_LOAN", 0.0)
    sessions.close_unused()

    assert len(keeper.shelf) == 0


def test_an_idle_process_has_four_sessions_at_most_and_works_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "LONGEST_LOAN", 1.0)
    monkeypatch.setattr(sessions, "LONGEST_REST", 1.0)
    with running(engine(threads=4, poll_interval=1)):
        for _ in range(2):
            noop.enqueue_many([{}] * 20)
            eventually(lambda: not Job.objects.unfinished().exists())
            eventually(lambda: ours() <= 4)

    eventually(lambda: ours() == 0)


def ours() -> int:
    """How many sessions there are with our database but the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        count: int = cursor.fetchone()[0]
    return count
