"""Keys in bulk: each job is deduplicated for itself, against those before it, too."""

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from forge_jobs import NewJob, enqueue, enqueue_many
from forge_jobs.handlers.handler import JobOptions
from forge_jobs.models import Job, State
from tests.app.jobs import effect, noop
from tests.rows import stored_job

pytestmark = pytest.mark.django_db


def test_a_key_that_is_taken_returns_its_job_in_its_place() -> None:
    held = stored_job(dedupe_key="b")
    jobs = enqueue_many([NewJob(noop, dedupe_key=key) for key in "abc"])

    assert jobs[1].pk == held.pk
    assert [job.was_deduplicated for job in jobs] == [False, True, False]
    assert (jobs.deduplicated, Job.objects.count()) == (1, 3)


def test_of_the_duplicates_in_a_bulk_the_first_is_made() -> None:
    jobs = enqueue_many(NewJob(effect, {"number": number}, dedupe_key="a") for number in range(3))

    assert [job.payload["number"] for job in jobs] == [0, 0, 0]
    assert (jobs.deduplicated, Job.objects.count()) == (2, 1)


def test_of_the_duplicates_in_a_bulk_the_first_was_not_deduplicated() -> None:
    jobs = enqueue_many([NewJob(noop, dedupe_key="a"), NewJob(noop, dedupe_key="a")])

    assert [job.was_deduplicated for job in jobs] == [False, True]


def test_jobs_with_and_without_keys_may_be_mixed() -> None:
    stored_job(dedupe_key="b")
    stored_job(idempotency_key="d", state=State.SUCCEEDED)
    keys: list[JobOptions] = [
        {},
        {"dedupe_key": "a"},
        {"dedupe_key": "b"},
        {},
        {"idempotency_key": "c"},
        {"idempotency_key": "d"},
        {},
    ]

    jobs = enqueue_many(
        NewJob(effect, {"number": number}, **key) for number, key in enumerate(keys)
    )

    assert [job.payload.get("number") for job in jobs] == [0, 1, None, 3, 4, None, 6]


def pattern(ids: list[int]) -> list[int]:
    """Which of the jobs are the same, whatever their ids are."""
    return [ids.index(pk) for pk in ids]


def keyed(dedupe_key: str | None, idempotency_key: str | None) -> NewJob:
    return NewJob(noop, dedupe_key=dedupe_key, idempotency_key=idempotency_key)


@hypothesis(max_examples=50)
@given(st.lists(st.builds(keyed, *[st.sampled_from([None, "a", "b", "c"])] * 2), max_size=8))
@example([keyed(None, "a"), keyed("a", "a"), keyed("a", None)])
def test_a_bulk_is_deduplicated_as_if_its_jobs_were_enqueued_one_by_one(jobs: list[NewJob]) -> None:
    Job.objects.all().delete()
    one_by_one = [enqueue(job.kind, job.payload, **job.options).pk for job in jobs]
    Job.objects.all().delete()

    assert pattern(enqueue_many(jobs).ids) == pattern(one_by_one)
