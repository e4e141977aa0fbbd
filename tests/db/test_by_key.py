"""A row that is read by its key with a statement that is kept is what the ORM makes of it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from forge_jobs.api.job_shapes import documented
from forge_jobs.db import written_once
from forge_jobs.db.by_key import ByKey
from forge_jobs.models import Job, JobLabel
from tests.rows import finished_job, stored_job
from tests.running import PATIENCE


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """What earlier tests had written stays with the wrapper."""
    vars(connections["default"]).pop(written_once.KEPT, None)


KEPT = ByKey(
    lambda using, pk: documented(Job.objects.using(using).defer("payload")).filter(pk=pk),
    lambda: Job._meta.pk,
)


def kept(key: object) -> Job | None:
    return KEPT.get(key, using="default")


def told(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


@pytest.mark.django_db
def test_a_row_is_the_same_whenever_it_is_read() -> None:
    jobs = [finished_job(result=[1]), stored_job(progress={"done": 1})]
    JobLabel.objects.put([(jobs[0].pk, ["b", "a"])])
    for job in [*jobs, *jobs]:
        row = kept(job.pk)
        assert row == job
        assert told(row) == told(documented(Job.objects.defer("payload")).get(pk=job.pk))
        assert (row._state.db, row._state.adding) == ("default", False)
        assert row.payload == job.payload


@pytest.mark.django_db
def test_a_row_that_is_not_there_is_none() -> None:
    assert kept(1) is None
    job = stored_job()
    assert kept(job.pk) == kept(str(job.pk)) == job
    assert kept(job.pk + 1) is None


@pytest.mark.django_db
def test_what_can_be_no_key_is_refused_as_the_orm_refuses_it() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="expected a number"):
            kept("twelve")
        kept(1)


@pytest.mark.django_db
def test_a_row_takes_one_statement() -> None:
    job = stored_job()
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            kept(job.pk)
        assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_by_its_own_session() -> None:
    job = stored_job()
    assert kept(job.pk) == job
    found: list[Job | None] = []

    def look() -> None:
        try:
            found.append(kept(job.pk))
        finally:
            connections.close_all()

    other = threading.Thread(target=look)
    other.start()
    other.join(PATIENCE)
    assert found == [job]
