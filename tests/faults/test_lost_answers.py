"""The database did as it was told, but its answer got lost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from forge_jobs.models import Job, State
from forge_jobs.models.job_manager import JobManager
from forge_jobs.signals import claim_lost, job_finished
from tests.app.jobs import noop
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)


def losing_the_first_answer(method: Callable[..., Any]) -> Callable[..., Any]:
    """The same method, whose first success ends in a broken connection."""
    answers = iter([OperationalError("server closed the connection unexpectedly")])

    def step(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        if result and (error := next(answers, None)):
            raise error
        return result

    return step


def test_jobs_of_a_claim_whose_answer_was_lost_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobManager, "claim", losing_the_first_answer(JobManager.claim))
    noop.enqueue_many([{}] * 50)
    drain()

    assert Job.objects.filter(state=State.SUCCEEDED, attempt=1).count() == 50


def test_outcomes_whose_write_was_not_answered_are_no_lost_claims(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost: list[object] = []
    finished: list[object] = []

    def remember_lost(**kwargs: object) -> None:
        lost.append(kwargs["job"])

    def remember_finished(**kwargs: object) -> None:
        finished.append(kwargs["finished"])

    monkeypatch.setattr(JobManager, "finalize", losing_the_first_answer(JobManager.finalize))
    claim_lost.connect(remember_lost)
    job_finished.connect(remember_finished)
    try:
        noop.enqueue_many([{}] * 50)
        drain()
    finally:
        claim_lost.disconnect(remember_lost)
        job_finished.disconnect(remember_finished)

    assert (len(lost), len(finished)) == (0, 50)
