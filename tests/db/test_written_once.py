"""What the ORM has written once says the same each time, of other values."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.models.sql.compiler import SQLCompiler

from forge_jobs.db import written_once
from forge_jobs.db.written_once import Later, RowsWrittenOnce, UpdateWrittenOnce
from forge_jobs.models import Process
from tests.conftest import NOON
from tests.factories import process_named

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
NAMES = RowsWrittenOnce(
    lambda: (
        Process.objects.filter(heartbeat_at__gt=Later.of(Process, "heartbeat_at", name="since"))
        .order_by("name")
        .values_list("name", "heartbeat_at", "queues")
    )
)
BEAT = UpdateWrittenOnce(
    lambda: Process.objects.filter(name=Later.of(Process, "name")), ["heartbeat_at", "queues"]
)


@pytest.fixture(autouse=True)
def _nothing_written() -> None:
    """What earlier tests had written stays with the wrapper."""
    vars(connections["default"]).pop(written_once.KEPT, None)


def since(seconds: int) -> list[str]:
    read = NAMES.read(using="default", since=NOON + seconds * SECOND)
    return [name for name, *_ in read]


def beat(name: str, *, seconds: int) -> int:
    at = NOON + seconds * SECOND
    return BEAT.carry_out(using="default", name=name, heartbeat_at=at, queues=["é", 1])


def test_rows_are_those_that_fit_what_is_told_each_time() -> None:
    for place, name in enumerate("abc"):
        process_named(name)
        Process.objects.filter(name=name).update(heartbeat_at=NOON + place * SECOND)

    assert [since(place) for place in (-1, 1, 0, 2)] == [["a", "b", "c"], ["c"], ["b", "c"], []]


def test_an_update_tells_how_many_rows_it_changed_and_its_values_come_back_as_they_were() -> None:
    process_named("a")
    process_named("b")

    assert [beat("a", seconds=1), beat("b", seconds=2), beat("c", seconds=3)] == [1, 1, 0]
    assert NAMES.read(using="default", since=NOON) == [
        ("a", NOON + SECOND, ["é", 1]),
        ("b", NOON + 2 * SECOND, ["é", 1]),
    ]


def test_the_orm_writes_it_once_for_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[SQLCompiler] = []
    write = SQLCompiler.as_sql

    def noted(compiler: SQLCompiler) -> Any:
        written.append(compiler)
        return write(compiler)

    monkeypatch.setattr(SQLCompiler, "as_sql", noted)
    since(0)
    once = len(written)
    since(1)
    since(2)

    assert once > 0
    assert len(written) == once
