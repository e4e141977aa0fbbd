"""PostgreSQL keeps the claim of a session of ours, by a plan that stays right while jobs come."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.backends.postgresql.base import ServerBindingCursor

from forge_jobs import db
from forge_jobs.models import Process
from forge_jobs.runtime.keeper import custody
from tests.conftest import NOON
from tests.db.conftest import names_of_kept
from tests.db.test_moments import IMPOSSIBLE, spoil
from tests.db.test_plans import assert_does_not_sort, assert_uses
from tests.db.test_plans import row as any_row
from tests.factories import process_named
from tests.rows import claim, stored_job

if connection.vendor != "postgresql":
    pytest.skip("SQLite's driver does so by itself", allow_module_level=True)

from forge_jobs.db.postgresql import few, prepared, sessions

pytestmark = pytest.mark.django_db(transaction=True)

EXPLAIN = "EXPLAIN EXECUTE forge_jobs_claim ('default', '{app.noop}', %s, %s, %s)"
ENOUGH = 10
"""Uses after which the server has decided whether to make a plan for each of them."""


class Lent:
    """A session of which the driver was told another process than the one that answers."""

    info = SimpleNamespace(backend_pid=1)


@pytest.fixture
def process() -> Process:
    return process_named("tested")


@pytest.mark.usefixtures("_ours")
def test_a_session_of_ours_keeps_the_claim(process: Process) -> None:
    jobs = [stored_job() for _ in range(ENOUGH)]

    claimed = [claim(process, limit=1)[0].id for _ in jobs]

    assert claimed == [job.pk for job in jobs]
    assert names_of_kept() == [few.KEPT_CLAIM]


def all_alike(limit: int, process: Process) -> Any:
    """A job that has everything, claimed among so many."""
    full = stored_job(
        payload={"a": 'b "ü" \\ €'},
        context={"trace": "1"},
        priority=-3,
        max_attempts=5,
        timeout_seconds=1.5,
        expires_at=NOON + timedelta(days=1, microseconds=7),
        run_at=NOON - timedelta(microseconds=3),
    )
    (claimed,) = claim(process, limit=limit)
    is_told = claimed.id == full.pk and claimed.enqueued_at == full.enqueued_at.timestamp()
    return claimed._replace(id=0, enqueued_at=0.0), is_told


@pytest.mark.usefixtures("_ours")
def test_what_is_claimed_like_that_is_as_ever(process: Process) -> None:
    assert all_alike(few.FEW, process) == all_alike(few.FEW + 1, process)


@pytest.mark.usefixtures("_ours")
def test_a_kind_with_signs_that_mean_something_in_a_list_is_found(process: Process) -> None:
    kind = 'a "quoted", {braced} \\ kind'
    stored_job(kind=kind)

    assert [job.kind for job in claim(process, limit=1, kinds=["b", kind])] == [kind]


@pytest.mark.usefixtures("_ours")
def test_a_server_that_forgot_the_claim_says_so_and_the_next_session_is_told(
    process: Process,
) -> None:
    stored_job()
    claim(process, limit=0)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")

    with pytest.raises(DatabaseError, match="does not exist"):
        claim(process, limit=9)
    connection.close()
    assert len(claim(process, limit=9)) == 1


@pytest.mark.usefixtures("_ours")
@pytest.mark.parametrize("moment", IMPOSSIBLE)
def test_an_impossible_moment_is_claimed_as_ever(moment: str, process: Process) -> None:
    def claimed(limit: int) -> list[datetime]:
        stored_job()
        spoil("forge_jobs_job", "run_at", moment)
        return [job.run_at for job in claim(process, limit=limit)]

    assert claimed(few.FEW) == claimed(few.FEW + 1) != []


def test_any_other_session_does_not(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody, "is_ours", False)
    connection.close()
    stored_job()

    assert len(claim(process, limit=9)) == 1
    assert names_of_kept() == []


@pytest.mark.usefixtures("_ours")
def test_a_session_that_is_as_good_as_new_is_told_again(process: Process) -> None:
    claim(process, limit=9)
    assert sessions.wipe(connection.connection, sessions.way_back(connection.connection, {}))
    assert sessions.is_alive(connection.connection, has_rested=True)
    stored_job()

    assert len(claim(process, limit=9)) == 1


def test_a_session_that_a_pooler_lends_is_not_told_to_keep_anything() -> None:
    session = Lent()
    for _ in range(prepared.MANY):
        prepared.has_enqueued(session, backend=2)

    assert not prepared.is_used(session)
    assert not prepared.may_be(session)


@pytest.mark.usefixtures("_ours")
@pytest.mark.parametrize("mode", ["auto", "force_generic_plan"])
def test_a_plan_from_when_there_was_no_job_goes_by_the_index_when_there_are_many(
    mode: str, process: Process
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE forge_jobs_job")
        cursor.execute("ANALYZE forge_jobs_job")
        cursor.execute("SELECT set_config('plan_cache_mode', %s, false)", [mode])
        for _ in range(ENOUGH):
            assert claim(process, limit=9) == []
        for start in range(0, 40_000, 10_000):
            db.twin().insert(cursor, [any_row(start + number) for number in range(10_000)])
        cursor.execute(EXPLAIN, [few.FEW, process.pk, NOON])
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert_uses(plan, "forge_jobs_claim")
    assert_does_not_sort(plan)


def test_a_session_that_turns_out_to_be_lent_keeps_nothing_more() -> None:
    lent = Lent()
    for _ in range(prepared.MANY):
        prepared.has_enqueued(lent, backend=1)
    assert prepared.is_used(lent)

    prepared.has_enqueued(lent, backend=2)

    assert not prepared.may_be(lent)
    assert not prepared.is_used(lent)


def test_where_parameters_go_beside_each_statement_plans_go_by_them() -> None:
    connection.close()
    connection.ensure_connection()
    session = connection.connection
    session.cursor_factory = ServerBindingCursor

    furnished = sessions.furnish(session, sessions.LIMITS)
    connection.close()

    assert furnished["enable_seqscan"] == "off"
    assert "plan_cache_mode" not in furnished
