"""Labels of jobs that are gone go bit by bit, and those of others stay."""

from datetime import timedelta

import pytest

from forge_jobs.models import Job, JobLabel
from forge_jobs.services import label_pruner
from forge_jobs.services.label_pruner import LabelPruner
from tests.conftest import NOON
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db


def labelled(*words: str) -> Job:
    job = finished_job()
    JobLabel.objects.put([(job.pk, words)])
    return job


def test_labels_go_after_their_jobs() -> None:
    gone, kept = labelled("a", "b"), labelled("a")
    gone.delete()

    assert LabelPruner().run_once(now=NOON) == 2
    assert JobLabel.objects.get().job_id == kept.pk


def test_it_goes_through_the_table_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_pruner, "LARGEST_PASS", 2)
    jobs = [labelled("a") for _ in range(5)]
    Job.objects.filter(pk__in=[job.pk for job in jobs[:2]]).delete()
    subject = LabelPruner()

    assert subject.run_once(now=NOON) == 2
    assert subject.rest(now=NOON) == timedelta(0)
    assert subject.run_once(now=NOON) == 0
    assert subject.rest(now=NOON) == subject.pause
    assert subject.run_once(now=NOON) == 0
    assert subject.rest(now=NOON) == subject.interval

    jobs[2].delete()
    assert subject.run_once(now=NOON) == 1


def test_without_labels_there_is_nothing_to_do() -> None:
    stored_job()
    subject = LabelPruner()

    assert subject.run_once(now=NOON) == 0
    assert subject.rest(now=NOON) == subject.interval


def test_beside_jobs_it_rests_even_where_most_labels_are_to_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(label_pruner, "LARGEST_PASS", 2)
    gone = labelled("a", "b", "c")
    gone.delete()
    stored_job()
    subject = LabelPruner()

    assert subject.run_once(now=NOON) == 2
    assert timedelta(0) < subject.rest(now=NOON) < subject.interval
