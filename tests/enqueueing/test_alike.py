"""Jobs that are alike are checked together, and none of them is the worse for it."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, product
from typing import Any

import pytest
from pytest_django import Settings

from forge_jobs import EnqueueError, NewJob, enqueue_many, open_batch
from forge_jobs.clock import ManualClock
from forge_jobs.enqueueing.alike import Drafts
from forge_jobs.enqueueing.draft import Draft
from forge_jobs.handlers.handler import JobOptions
from forge_jobs.models import Job, State
from forge_jobs.models.gate import Predecessor
from tests.app.jobs import noop
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def test_jobs_that_are_given_the_same_share_a_draft() -> None:
    first, batch, drafts = noop.enqueue(), open_batch("import"), Drafts()

    for options in ({}, {"priority": 5, "run_at": NOON}, {"after": first, "batch": batch}):
        assert drafts.of(noop, options) is drafts.of(noop, {**options})


def test_what_is_equal_but_not_the_same_is_refused_for_itself() -> None:
    with pytest.raises(EnqueueError, match="priority must be a whole number"):
        enqueue_many([NewJob(noop, priority=1), NewJob(noop, priority=True)])


def test_the_same_values_under_other_names_are_other_options() -> None:
    jobs = enqueue_many(
        [
            NewJob(noop, dedupe_key="images", idempotency_key="other"),
            NewJob(noop, idempotency_key="images", dedupe_key="other"),
        ]
    )

    assert [job.dedupe_key for job in jobs] == ["images", "other"]


def test_a_job_that_has_changed_between_is_read_again() -> None:
    def one_again() -> Iterator[NewJob]:
        job = NewJob(noop, priority=1)
        yield job
        job.options["priority"] = 2
        yield job

    assert [job.priority for job in enqueue_many(one_again())] == [1, 2]


def test_what_may_change_between_two_jobs_is_read_for_each() -> None:
    def more_and_more() -> Iterator[NewJob]:
        first, after = noop.enqueue(), list[Job]()
        for _ in range(2):
            yield NewJob(noop, after=after)
            after.append(first)

    assert [job.state for job in enqueue_many(more_and_more())] == [State.READY, State.HELD]


@pytest.mark.parametrize("options", [{"delay": 60}, {"expires_in": 60}])
def test_times_are_counted_from_each_job(options: JobOptions, manual_clock: ManualClock) -> None:
    def one_after_the_other() -> Iterator[NewJob]:
        yield NewJob(noop, **options)
        manual_clock.advance(timedelta(hours=1))
        yield NewJob(noop, **options)

    first, second = enqueue_many(one_after_the_other())

    assert (first.run_at, first.expires_at) != (second.run_at, second.expires_at)


def test_a_function_that_routes_is_asked_for_each_job(settings: Settings) -> None:
    queues = cycle(["images", "other"])
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "ROUTER": lambda kind: next(queues)}

    jobs = enqueue_many([NewJob(noop)] * 4)

    assert [job.queue for job in jobs] == ["images", "other"] * 2


def test_whatever_each_comes_after_its_draft_is_as_if_it_were_alone() -> None:
    first, second, batch = noop.enqueue(), noop.enqueue(), open_batch("import")
    none = enqueue_many([])
    given: list[Any] = [
        first,
        second.pk,
        [first],
        None,
        batch,
        second,
        none,
        enqueue_many([NewJob(noop)]),
    ]
    beside: list[JobOptions] = [
        {},
        {"batch": open_batch("other")},
        {"after_end": second, "priority": 7},
        {"after_failure": [first, second]},
    ]
    for options in beside:
        for one, other in product(given, repeat=2):
            drafts = Drafts()
            drafts.of(noop, {**options, "after": one})
            behind: JobOptions = {**options, "after": other}
            assert drafts.of(noop, {**behind}) == Draft.of(noop, **behind)


def test_what_it_can_not_come_after_is_refused_though_the_one_before_was_not() -> None:
    for after in True, Job(), "job":
        with pytest.raises(EnqueueError, match="after must be"):
            enqueue_many([NewJob(noop, after=noop.enqueue()), NewJob(noop, after=after)])  # type: ignore[arg-type]


def test_each_of_many_waits_for_its_own() -> None:
    before = enqueue_many([NewJob(noop) for _ in range(5)]).ids
    jobs = enqueue_many([NewJob(noop, after=pk) for pk in reversed(before)])

    assert [Predecessor.objects.get(gate=job.gate).job_id for job in jobs] == before[::-1]
