"""The balancer: no share is lost with the process that held it."""

import pytest

from forge_jobs.models import Process, Share
from forge_jobs.services.balancer import Balancer
from tests.conftest import NOON
from tests.factories import process_named

pytestmark = pytest.mark.django_db


def test_only_shares_of_processes_that_are_gone_are_forgotten() -> None:
    for name in ("here", "gone"):
        process = process_named(name, queues=["mail"])
        Share.objects.create(queue="mail", process=process, slots=1, wanted=1, since=NOON)
    gone = Process.objects.filter(name="gone")
    gone._raw_delete(gone.db)  # as a release without shares does

    assert Balancer().run_once(now=NOON) == 1
    assert Balancer().run_once(now=NOON) == 0
    assert [share.process.name for share in Share.objects.all()] == ["here"]
