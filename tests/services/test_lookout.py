"""The lookout: work that nobody can do is told of."""

import pytest

from forge_jobs.models import Job
from forge_jobs.operations.status import Unserved
from forge_jobs.services.lookout import Lookout
from forge_jobs.signals import work_unserved
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = pytest.mark.django_db


def told() -> list[Unserved]:
    heard: list[Unserved] = []

    def hear(*, unserved: list[Unserved], **kwargs: object) -> None:
        heard.extend(unserved)

    work_unserved.connect(hear)
    try:
        Lookout().run_once(now=NOON)
    finally:
        work_unserved.disconnect(hear)
    return heard


def test_a_kind_that_no_live_process_knows_is_told_of() -> None:
    process_named("older", queues=["default"], kinds=["app.noop"])
    stored_job()
    stored_job(kind="of.a.newer.release")

    assert told() == [Unserved("default", "of.a.newer.release")]


def test_a_queue_that_no_live_process_serves_is_told_of() -> None:
    process_named("elsewhere", queues=["other"], kinds=["app.noop"])
    stored_job()

    assert told() == [Unserved("default")]


def test_nothing_is_said_of_work_that_somebody_does() -> None:
    process_named("here", queues=["default"], kinds=["app.noop"])
    stored_job()

    assert Job.objects.ready().exists()
    assert told() == []
