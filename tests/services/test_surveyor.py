"""The surveyor: how the job database is, as far as it tells."""

import pytest
from django.db import connection

from forge_jobs.models import DatabaseGauge
from forge_jobs.services.surveyor import Surveyor
from tests.conftest import NOON


@pytest.mark.django_db(transaction=True)
def test_a_look_tells_what_the_database_knows_of_itself() -> None:
    assert Surveyor().run_once(now=NOON) == 1

    gauge = DatabaseGauge.objects.get()
    assert gauge.at == NOON
    assert gauge.size_bytes
    assert gauge.size_bytes > 100_000
    assert gauge.wal_bytes is not None
    if connection.vendor == "postgresql":
        assert gauge.connections
        assert gauge.live_tuples is not None
        assert gauge.dead_tuples is not None
    else:
        assert gauge.disk_free_bytes


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
def test_a_role_that_may_not_look_at_the_log_leaves_it_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE forge_jobs_plain")
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO forge_jobs_plain")
        cursor.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO forge_jobs_plain")
        try:
            cursor.execute("SET ROLE forge_jobs_plain")
            Surveyor().run_once(now=NOON)
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP OWNED BY forge_jobs_plain")
            cursor.execute("DROP ROLE forge_jobs_plain")

    gauge = DatabaseGauge.objects.get()
    assert gauge.size_bytes
    assert gauge.wal_bytes is None
