"""What holds jobs together goes once no job of it is left."""

from datetime import timedelta

import pytest

from forge_jobs import batch, clock
from forge_jobs.models import Batch, Gate, Job, Predecessor
from forge_jobs.services.set_pruner import SetPruner
from forge_jobs.testing import drain
from tests.app.jobs import noop

pytestmark = pytest.mark.django_db


def test_gates_go_with_the_last_job_behind_them() -> None:
    first = noop.enqueue()
    noop.using(after=first).enqueue_many([{}, {}])
    drain()
    Job.objects.last().delete()  # type: ignore[union-attr] # it is there
    assert SetPruner().run_once(now=clock.now()) == 0

    Job.objects.all().purge()
    assert SetPruner().run_once(now=clock.now()) == 1
    assert not Gate.objects.exists()
    assert not Predecessor.objects.exists()


def test_a_batch_is_kept_for_a_week_after_its_end_and_as_long_as_it_has_jobs() -> None:
    with batch("whole") as whole, batch("part", within=whole) as part:
        noop.using(batch=part).enqueue()
    drain()
    later = clock.now() + timedelta(days=8)
    assert SetPruner().run_once(now=later) == 0

    Job.objects.all().purge()
    assert SetPruner().run_once(now=clock.now()) == 0
    assert SetPruner().run_once(now=later) == 1
    assert SetPruner().run_once(now=later) == 1
    assert not Batch.objects.exists()


def test_an_open_batch_stays() -> None:
    Batch.objects.create(name="open")

    assert SetPruner().run_once(now=clock.now() + timedelta(days=1000)) == 0
