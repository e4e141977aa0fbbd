"""What a page reads is of one moment, and keeps nobody from writing."""

import threading

import pytest
from django.db import connection, connections

from forge_jobs import db
from forge_jobs.models import Job
from tests.rows import stored_job
from tests.running import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_others_commit_meanwhile_is_not_seen() -> None:
    stored_job()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            stored_job()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    with db.snapshot():
        before = Job.objects.count()
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(PATIENCE)
        assert not writer.is_alive()
        assert Job.objects.count() == before == 1

    assert not failed
    assert Job.objects.count() == 2


def test_a_snapshot_within_a_transaction_is_a_part_of_it() -> None:
    with db.snapshot():
        assert connection.in_atomic_block
        with db.snapshot():
            assert Job.objects.count() == 0
    assert not connection.in_atomic_block
    stored_job()
    assert Job.objects.count() == 1
