"""What a run in a child keeps is stored under its claim, and outlives the child."""

from collections import Counter

import pytest
from django.db import connection

from forge_jobs import batch
from forge_jobs.models import Job, JobStep, State
from tests.app.models import Effect
from tests.children.keeping import DEADLY, EVERY, akeeps, keeps
from tests.running import PATIENCE, engine, eventually, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture(autouse=True)
def children_find_the_tests_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_JOBS_TEST_DATABASE_NAME", str(connection.settings_dict["NAME"]))
    monkeypatch.setenv("FORGE_JOBS_TEST_IMPORTS", "tests.children.keeping")


def run_all() -> None:
    with running(engine(threads=1)):
        eventually(lambda: not Job.objects.unfinished().exists())


def test_what_is_stored_is_not_done_again_by_the_child_that_follows() -> None:
    stepped, completed = (keeps.enqueue(how=how) for how in ("step", "complete"))
    failed = keeps.enqueue(how="fail_when_complete")

    run_all()

    stepped.refresh_from_db()
    completed.refresh_from_db()
    failed.refresh_from_db()
    assert (stepped.state, stepped.attempt) == (State.SUCCEEDED, 2)
    assert stepped.result == ["a", "b", {"by": 1}]
    assert (completed.state, completed.result, completed.attempt) == (
        State.SUCCEEDED,
        "completed",
        1,
    )
    assert (failed.state, failed.result, failed.last_error) == (State.SUCCEEDED, "completed", "")
    left = Effect.objects.values_list("number", flat=True)
    assert Counter(left) == Counter(map(ord, "abc"))


def test_a_walk_whose_child_dies_goes_on_and_spends_no_attempt_where_it_came_further() -> None:
    Effect.objects.bulk_create(Effect(number=number) for number in range(EVERY * 10))
    walked = keeps.enqueue(how="walk")

    run_all()

    walked.refresh_from_db()
    assert (walked.state, walked.attempt, len(walked.errors)) == (State.SUCCEEDED, 1, 1)
    again = Effect.objects.filter(began=2).values_list("number", flat=True)
    assert {*again} == {*range(30, DEADLY + 1)}
    assert Effect.objects.filter(began=1).count() == EVERY * 10 - len(again)


def test_a_child_knows_the_set_of_its_job_and_whether_that_is_still_its_own() -> None:
    first = akeeps.enqueue()
    with batch("a set") as whole:
        second = keeps.using(after=first, batch=whole).enqueue(how="follow")
    lost = keeps.enqueue(how="lose")

    with running(engine(threads=1)):
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).count() == 3)

    second.refresh_from_db()
    lost.refresh_from_db()
    assert second.result == [[0, 0]]
    assert Job.objects.filter(batch=whole).count() == 2
    assert not JobStep.objects.filter(job_id=lost.pk).exists()
    assert lost.errors == []


def test_a_walk_in_a_child_stops_in_order_as_soon_as_its_process_stops() -> None:
    Effect.objects.bulk_create(Effect(number=number) for number in range(10_000))
    strolling = keeps.enqueue(how="stroll")
    stopping = engine(threads=1, shutdown_timeout=PATIENCE)

    with running(stopping):
        eventually(lambda: Job.objects.get(pk=strolling.pk).progress is not None)

    strolling.refresh_from_db()
    assert (strolling.state, strolling.attempt) == (State.READY, 0)
    assert JobStep.objects.get().value["visited"] > 0
