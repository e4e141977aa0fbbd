"""Many enqueues in a moment: few notifications, and none of them missed."""

from collections.abc import Iterator
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connection, transaction

from forge_jobs import wake
from forge_jobs.wake import local
from tests.rows import rolled_back
from tests.running import eventually
from tests.wake.hearing import listening

if connection.vendor != "postgresql":
    pytest.skip("SQLite sends none", allow_module_level=True)

from forge_jobs.wake import postgresql
from forge_jobs.wake.postgresql import AGAIN_SECONDS, Encores, PostgreSQLListener

pytestmark = pytest.mark.django_db(transaction=True)

SOON = AGAIN_SECONDS / 5


class Hands:
    """A clock that a test moves on; it stands in for the module `time`."""

    def __init__(self) -> None:
        self.moment = 1_000.0

    def monotonic(self) -> float:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        self.moment += seconds


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    hands = Hands()
    monkeypatch.setattr(postgresql, "time", SimpleNamespace(monotonic=hands.monotonic))
    monkeypatch.setattr(postgresql, "_sent", {})
    return hands


@pytest.fixture
def heard() -> Iterator["Heard"]:
    with Heard() as heard:
        yield heard


class Heard:
    """What another session hears on our channel."""

    def __enter__(self) -> "Heard":
        self._wrapper = connection.copy()
        with self._wrapper.cursor() as cursor:
            cursor.execute("LISTEN forge_jobs")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._wrapper.close()

    def all(self) -> list[str]:
        """Since the last time."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('forge_jobs', 'end')")
        session: psycopg.Connection = self._wrapper.connection
        found: list[str] = []
        for note in session.notifies(timeout=30):
            if note.payload == "end":
                break
            found.append(note.payload)
        return found


def test_wakes_that_come_now_and_then_are_sent_each(hands: Hands, heard: Heard) -> None:
    for _ in range(3):
        wake.send("default")
        hands.pass_by(3 * AGAIN_SECONDS)

    assert heard.all() == ["default"] * 3


def test_of_a_burst_one_asks_for_another_look_and_those_until_then_are_left_out(
    hands: Hands, heard: Heard
) -> None:
    for _ in range(5):
        wake.send("default")
        hands.pass_by(SOON)

    assert heard.all() == ["default", "default", "again default"]


def test_a_burst_that_goes_on_is_told_of_again_and_again(hands: Hands, heard: Heard) -> None:
    for _ in range(3 * 5 + 1):
        wake.send("default")
        hands.pass_by(SOON)

    assert heard.all().count("again default") == 3


def test_a_queue_is_not_silent_because_of_another(hands: Hands, heard: Heard) -> None:
    for queue in ("default", "default", "default", "other"):
        wake.send(queue)

    assert heard.all() == ["default", "default", "again default", "other"]


def test_what_may_be_rolled_back_stands_for_nothing(hands: Hands, heard: Heard) -> None:
    with rolled_back():
        wake.send("default")
        wake.send("default")
    wake.send("default")
    with transaction.atomic():
        wake.send("default")
    wake.send("default")

    assert heard.all() == ["default", "default", "default", "again default"]


def test_what_could_not_be_sent_stands_for_nothing(
    hands: Hands, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    wake.send("default")
    with monkeypatch.context() as broken:
        broken.setattr(postgresql, "NOTIFY_TWICE", "SELECT 1 / 0, %s, %s")
        for _ in range(2):
            with pytest.raises(Exception, match="division by zero"):
                wake.send("default")
    wake.send("default")

    assert heard.all() == ["default", "default", "again default"]


def test_whoever_is_asked_for_another_look_rings_once_more_and_not_too_soon(hands: Hands) -> None:
    bell, encores = local.Bell(), Encores()
    local.subscribe(bell)
    try:
        encores.ask("default")
        hands.pass_by(AGAIN_SECONDS / 2)
        encores.play()
        assert not bell.wait(0)
        hands.pass_by(encores.rest())
        encores.play()
        encores.play()
        assert bell.wait(0) == {"default": 1}
    finally:
        local.unsubscribe(bell)


def test_a_listener_rings_twice_for_a_notification_that_asks_for_it() -> None:
    with listening(PostgreSQLListener()) as rung:
        eventually(lambda: rung[local.ANY] > 0)
        postgresql._ask(connection, postgresql.NOTIFY_TWICE, "images", "again images")
        eventually(lambda: rung["images"] == 2)
