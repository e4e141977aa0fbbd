"""Chunks that run in children: a call for many, an answer for each, and a kill that reaches it."""

import os

import pytest
from django.db import connection

from forge_jobs.models import Job, JobStep, State
from tests.app.models import Effect
from tests.children.together import together
from tests.running import engine, eventually, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture(autouse=True)
def children_find_the_tests_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_JOBS_TEST_DATABASE_NAME", str(connection.settings_dict["NAME"]))
    monkeypatch.setenv("FORGE_JOBS_TEST_IMPORTS", "tests.children.together")


def enqueued(*orders: str) -> list[int]:
    return [together.enqueue(do=order).pk for order in orders]


def told() -> list[tuple[str, str]]:
    """State and error of each job."""
    return list(Job.objects.order_by("pk").values_list("state", "last_error"))


def all_have_ended() -> bool:
    return not Job.objects.unfinished().exists()


def test_what_fails_or_ends_the_child_does_so_alone_and_answers_stand(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, *_, last = enqueued("answer", "die", "give up", "answer", "raise", "answer")
    late = together.using(timeout=2).enqueue(do="hang")

    with running(engine(threads=1)):
        eventually(all_have_ended)

    died = "The child was ended by SIGSEGV before it had answered."
    late.refresh_from_db()
    assert late.last_error.startswith("Timed out after 2 s")
    assert told()[:-1] == [
        (State.SUCCEEDED, ""),
        (State.DEAD, died),
        (State.DEAD, "never"),
        (State.SUCCEEDED, ""),
        (State.DEAD, "LookupError: no such order"),
        (State.SUCCEEDED, ""),
    ]
    assert Effect.objects.count() == JobStep.objects.count() == 3
    assert os.getpid() not in Effect.objects.values_list("pid", flat=True)
    done = Job.objects.order_by("pk").values_list("progress__done", flat=True)
    assert [*done] == [3, 1, 1, 3, 1, 1, 1]
    assert f"tests.together #{first}: is in a call for 3" in caplog.messages
    assert f"tests.together #{last}: is in a call for 1" in caplog.messages


def test_a_kill_of_one_ends_the_call_whatever_it_does_and_the_others_go_back() -> None:
    _, hung, _ = enqueued("answer", "hang", "answer")

    with running(engine(threads=1)):
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).exists())
        Job.objects.get(pk=hung).kill("it hangs")
        eventually(all_have_ended)

    assert told() == [
        (State.SUCCEEDED, ""),
        (State.CANCELLED, "it hangs"),
        (State.SUCCEEDED, ""),
    ]
    assert [*Job.objects.order_by("pk").values_list("attempt", flat=True)] == [1, 1, 1]
    assert Effect.objects.count() == 2
