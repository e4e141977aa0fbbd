"""The life of a job: from its enqueueing on, in order."""

from datetime import timedelta

import pytest

from forge_jobs.dashboard.timeline import timeline
from forge_jobs.models import Event, JobEvent
from tests.conftest import NOON
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def test_it_begins_with_the_enqueueing_and_goes_by_time() -> None:
    job = stored_job(enqueued_at=NOON)
    other = stored_job()
    JobEvent.objects.note([job.pk, other.pk], Event.CANCELLED, at=NOON + 2 * SECOND, by="ann")
    JobEvent.objects.note([job.pk], Event.RUN_NOW, at=NOON + SECOND)

    life = timeline(job)
    assert [event.event for event in life] == [Event.ENQUEUED, Event.RUN_NOW, Event.CANCELLED]
    assert (life[0].at, life[-1].by) == (NOON, "ann")
