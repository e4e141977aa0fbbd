"""What ends set free goes on, however many end at once, and however much else waits meanwhile."""

import pytest
from pytest_django import DjangoAssertNumQueries

from forge_jobs import open_batch
from forge_jobs.models import Gate, Job, State
from forge_jobs.models.following import MANY, MOST_AWAITED, Following
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.sets.conftest import state_of

pytestmark = pytest.mark.django_db


def end(jobs: list[int]) -> None:
    Job.objects.filter(pk__in=jobs).update(state=State.SUCCEEDED, finished_at=NOON)
    Following(jobs=jobs).finish(now=NOON)


def let_others_wait(number: int) -> None:
    for _ in range(number):
        other = open_batch("other")
        noop.using(batch=other).enqueue()
        other.seal()
        noop.using(after=[noop.enqueue(), noop.enqueue()]).enqueue()


@pytest.mark.parametrize("others", [0, MOST_AWAITED], ids=["alone", "among others"])
@pytest.mark.parametrize("size", [1, MANY], ids=["one", "many"])
def test_a_batch_ends_and_what_comes_after_its_jobs_goes_on(size: int, others: int) -> None:
    let_others_wait(others)
    ours = open_batch("ours")
    jobs = noop.using(batch=ours).enqueue_many([{}] * size).ids
    ours.seal()
    behind, behind_all = noop.using(after=jobs[-1]).enqueue(), noop.using(after=ours).enqueue()

    end(jobs)
    ours.refresh_from_db()

    assert ours.has_ended
    assert state_of(behind) == state_of(behind_all) == State.READY
    assert Gate.objects.closed().count() == others


def test_of_many_that_end_none_is_looked_up_where_but_a_batch_waits(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ours = open_batch("ours")
    jobs = noop.using(batch=ours).enqueue_many([{}] * (MANY + 1)).ids
    ours.seal()

    with django_assert_num_queries(1 + 2):  # of which one ends them
        end(jobs[:MANY])
