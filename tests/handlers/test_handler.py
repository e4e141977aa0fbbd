"""Functions as handlers: what can be one, what it can still do, and which payloads fit it."""

import asyncio
from typing import Any

import pytest

from forge_jobs import JobContext, JobHandler, job, register
from forge_jobs.exceptions import InvalidHandler, InvalidPayload


def test_a_job_can_be_called_as_the_plain_function() -> None:
    @job(queue="other")
    def add(a: int, b: int = 2) -> int:
        """Add two numbers."""
        return a + b

    assert (add(1), add(1, 5), add(a=3, b=4)) == (3, 6, 7)
    assert (add.__name__, add.__doc__) == ("add", "Add two numbers.")


def test_an_async_job_can_be_called_as_the_plain_function() -> None:
    @job
    async def add(a: int, b: int) -> int:
        return a + b

    assert asyncio.run(add(1, 2)) == 3


def test_positional_only_parameters_are_refused() -> None:
    with pytest.raises(InvalidHandler, match="positional-only"):

        @job
        def post(to: str, /) -> None: ...


def test_the_context_may_be_positional_only() -> None:
    @job(takes_context=True)
    def post(ctx: JobContext, /, to: str) -> None: ...

    post.check({"to": "Ann"})


def test_a_job_that_takes_a_context_needs_a_parameter_for_it() -> None:
    with pytest.raises(InvalidHandler, match="takes_context, but has no parameter"):

        @job(takes_context=True)  # type: ignore[arg-type] # wrong, to be refused
        def post() -> None: ...


def test_an_atomic_job_can_not_be_async() -> None:
    with pytest.raises(InvalidHandler, match="can't be atomic"):

        @job(atomic=True)
        async def post() -> None: ...


def test_an_atomic_handler_can_not_be_async() -> None:
    class Post(JobHandler):
        kind = "post"
        atomic = True

        async def run(self, ctx: JobContext, payload: dict[str, Any]) -> None: ...

    with pytest.raises(InvalidHandler, match="can't be atomic"):
        register(Post())


def test_a_job_of_any_keywords_says_only_what_is_missing() -> None:
    @job
    def post(to: str, **headers: str) -> None: ...

    with pytest.raises(InvalidPayload, match="'to' is missing") as refusal:
        post.check({"subject": "Hello"})

    assert "unexpected" not in str(refusal.value)
