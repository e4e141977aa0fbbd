"""Labels: a few words a job, by which it is found."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forge_jobs import NewJob, enqueue_many
from forge_jobs.exceptions import InvalidOption
from forge_jobs.models import Job, JobLabel
from tests.app.jobs import noop
from tests.rows import rolled_back, stored_job

pytestmark = pytest.mark.django_db


def labels(job: Job) -> list[str]:
    return [str(label) for label in job.labels.order_by("pk")]


def test_a_job_has_its_labels_each_once_and_in_their_order() -> None:
    job = noop.using(labels=["import", "customer:7", "import", "Zoë"]).enqueue()

    assert labels(job) == ["import", "customer:7", "Zoë"]


def test_jobs_are_found_by_a_label_as_it_is_spelled() -> None:
    one, other = noop.using(labels=("import", "b")).enqueue(), noop.using(labels={"b"}).enqueue()
    noop.using(labels=["Import"]).enqueue()
    noop.enqueue()

    assert [*Job.objects.labelled("import")] == [one]
    assert [*Job.objects.labelled("b").order_by("pk")] == [one, other]
    assert not Job.objects.labelled("c").exists()
    assert Job.objects.labelled("b").labelled("import").cancel("enough") == 1


def test_of_many_each_has_its_own() -> None:
    jobs = enqueue_many([NewJob(noop, labels=["a"]), NewJob(noop), NewJob(noop, labels=["a", "b"])])

    assert [labels(job) for job in jobs] == [["a"], [], ["a", "b"]]


def test_a_job_that_was_there_already_keeps_its_labels_unless_it_is_replaced() -> None:
    keyed = noop.using(dedupe_key="k", labels=["old", "both"])
    job = keyed.enqueue()
    noop.using(dedupe_key="k", labels=["new"]).enqueue()
    noop.using(dedupe_key="k", labels=["new"], on_duplicate="postpone", delay=9).enqueue()
    assert labels(job) == ["old", "both"]

    noop.using(dedupe_key="k", labels=["both", "new"], on_duplicate="replace").enqueue()
    assert labels(job) == ["both", "new"]


def test_in_a_list_the_last_replacement_s_labels_are_those_of_the_job() -> None:
    jobs = enqueue_many(
        NewJob(noop, dedupe_key="k", on_duplicate="replace", labels=[label]) for label in "abc"
    )

    assert labels(jobs[0]) == ["c"]


def test_what_is_rolled_back_leaves_no_label() -> None:
    with rolled_back():
        noop.using(labels=["a"]).enqueue()

    assert not JobLabel.objects.exists()


@pytest.mark.parametrize("labels", [(), [], None])
def test_jobs_without_labels_never_touch_their_table(labels: Any) -> None:
    given = {} if labels is None else {"labels": labels}
    with CaptureQueriesContext(connection) as queries:
        noop.using(**given).enqueue()
        noop.using(**given).enqueue_many([{}] * 3)
        Job.objects.all().cancel()
        Job.objects.finished().purge()

    assert not [one for one in queries.captured_queries if "joblabel" in one["sql"]]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("import", "must be many"),
        (7, "must be many"),
        ([7], "strings of 1 to 100 characters"),
        ([""], "strings of 1 to 100 characters"),
        (["a" * 101], "strings of 1 to 100 characters"),
        ([" a"], "spaces around them"),
        (["a\nb"], "can't be printed"),
        (["a\0"], "can't be printed"),
        (["\ud800"], "can't be printed"),
        ([str(n) for n in range(11)], "labels are 11; a job has at most 10"),
    ],
    ids=ascii,
)
def test_labels_that_can_not_be_are_refused(labels: Any, words: str) -> None:
    with pytest.raises(InvalidOption, match=words) as refusal:
        noop.using(labels=labels).enqueue()

    assert refusal.value.field == "labels"
    assert not Job.objects.exists()


def test_a_job_that_is_deleted_takes_no_look_at_labels_and_they_are_not_seen() -> None:
    job = stored_job()
    JobLabel.objects.put([(job.pk, ["a"])])
    job.delete()

    assert not Job.objects.labelled("a").exists()
