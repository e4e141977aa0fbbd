"""PostgreSQL: what breaks off or stands beside an enqueue at once leaves a session that works."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.app.jobs import noop
from tests.wake.test_bursts import Heard

if connection.vendor != "postgresql":
    pytest.skip("SQLite tells nobody", allow_module_level=True)

from forge_jobs.db.postgresql import kept
from forge_jobs.exceptions import KeyUnavailable
from forge_jobs.wake import postgresql

pytestmark = pytest.mark.django_db(transaction=True)

NONE_IS_STORED = """
CREATE FUNCTION left_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER left_out BEFORE INSERT ON forge_jobs_job FOR EACH ROW EXECUTE FUNCTION left_out()
"""


@pytest.fixture(autouse=True)
def _no_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "BURST_SECONDS", 0.0)
    monkeypatch.setattr(postgresql, "AGAIN_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def _session() -> Iterator[None]:
    """One that has enqueued often enough."""
    renew_session()
    yield
    connection.close()


def renew_session() -> None:
    connection.close()
    for _ in range(kept.MANY):
        noop.enqueue()


def ask(question: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(question)


def test_what_a_trigger_leaves_out_is_told_to_nobody_and_brings_no_notice() -> None:
    notices: list[str | None] = []
    connection.connection.add_notice_handler(lambda said: notices.append(said.message_primary))
    ask(NONE_IS_STORED)
    try:
        with Heard() as heard:
            with pytest.raises(KeyUnavailable):
                noop.enqueue()
            assert heard.all() == []
    finally:
        ask("DROP FUNCTION left_out CASCADE")
    assert "out of range" not in str(notices)


def test_a_wrapper_whose_cursors_are_others_is_asked_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "cursor", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        noop.enqueue()


class Traced:
    """What stands for a session where somebody wants to see what it is asked."""

    def __init__(self, session: psycopg.Connection) -> None:
        vars(self).update(session=session, cursors=0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.session, name, value)

    def __eq__(self, other: object) -> bool:
        return bool(self.session == other)

    def __hash__(self) -> int:
        return hash(self.session)

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        vars(self)["cursors"] += 1
        return self.session.cursor(*args, **kwargs)


def test_who_stands_before_a_session_sees_both() -> None:
    traced = Traced(connection.connection)
    connection.connection = traced

    noop.enqueue()

    assert traced.cursors == 2
