"""Jobs one after the other."""

from typing import Any

import pytest

from forge_jobs import JobContext, JobHandler, chain, job
from forge_jobs.exceptions import InvalidOption
from forge_jobs.models import Job, State
from forge_jobs.testing import drain
from tests.sets.conftest import mend

pytestmark = pytest.mark.django_db


def test_each_runs_after_the_one_before_and_is_told_its_result(
    write: JobHandler, log: list[str]
) -> None:
    @job(kind="tests.pass_on", takes_context=True)
    def pass_on(ctx: JobContext) -> Any:
        return [*ctx.results, "and"]

    first, second, third = chain(write.new(name="a"), pass_on.new(), pass_on.new()).enqueue()
    assert [first.state, second.state, third.state] == [State.READY, State.HELD, State.HELD]
    drain()

    third.refresh_from_db()
    assert third.result == [["A", "and"], "and"]


def test_what_is_no_job_makes_no_chain(write: JobHandler) -> None:
    with pytest.raises(InvalidOption) as refusal:
        chain(write.new(name="a"), "b")  # type: ignore[arg-type] # wrong, to be refused

    assert refusal.value.field == "jobs"


def test_all_are_stored_or_none(write: JobHandler) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        chain(write.new(name="a"), write.using(queue="nowhere").new(name="b")).enqueue()

    assert not Job.objects.exists()


def test_a_long_one_is_given_up_whole_and_revived_whole(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    first, *_ = chain(fall.new(), *[write.new(name="after")] * 60).enqueue()
    drain()
    assert Job.objects.all().counts() == {"dead": 1, "cancelled": 60}

    mend(first)
    drain()
    assert log == ["after"] * 60
