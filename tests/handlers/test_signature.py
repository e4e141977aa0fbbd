"""What can't be a handler, and which payloads don't fit: each is told with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from forge_jobs import JobContext, JobHandler, job
from forge_jobs.exceptions import InvalidHandler, InvalidPayload


def plain(order_id: int) -> None: ...


def yields() -> Iterator[int]:
    yield 1


class Shop:
    def sell(self, order_id: int) -> None: ...

    @classmethod
    def open(cls) -> None: ...

    @staticmethod
    def close(day: str) -> None: ...


class Sell(JobHandler):
    kind = "shop.sell"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (job(kind="shop.known")(plain), "a handler already: remove one of the two"),
        (Shop.sell, "on the method Shop.sell: nobody is there to be its self"),
        (Shop.__dict__["open"], "takes a function, not <classmethod"),
        (lambda: None, "on a lambda, which has no name"),
        (partial(plain, 1), "takes a function, not functools.partial"),
        (Shop, "not the class Shop: let it inherit from JobHandler"),
        (Sell, "not the class Sell: let it inherit from JobHandler"),
        ("shop.sell", "A kind is given as @job(kind=...)"),
        (yields, "can't run yields: it yields"),
        (print, "takes a function, not <built-in function print>"),
    ],
)
def test_what_is_no_function_of_a_module_is_refused(given: Any, words: str) -> None:
    with pytest.raises(InvalidHandler) as refusal:
        job(given)

    assert words in str(refusal.value)
    assert refusal.value.field in ("function", "kind")


def test_a_static_method_and_a_lambda_with_a_kind_can_be_handlers() -> None:
    assert job(kind="shop.close")(Shop.close).kind == "shop.close"
    assert job(kind="shop.last")(lambda day: day).kind == "shop.last"


def takes_a_context(ctx: JobContext, order_id: int) -> None: ...


def takes_it_last(order_id: int, ctx: JobContext) -> None: ...


def takes_it_by_name(*, ctx: JobContext) -> None: ...


def takes_no_place(*, order_id: int) -> None: ...


@pytest.mark.parametrize(
    ("function", "takes_context", "words"),
    [
        (takes_a_context, False, "decorate takes_a_context with @job(takes_context=True)"),
        (takes_it_last, True, "its first parameter is order_id: 'int', which can't take it"),
        (takes_it_last, False, "and make it the first parameter"),
        (takes_it_by_name, True, "its first parameter is ctx: 'JobContext', which can't take it"),
        (takes_no_place, True, "write takes_no_place(ctx, ...), or leave out takes_context"),
    ],
)
def test_a_context_that_would_not_arrive_is_refused(
    function: Callable[..., Any], takes_context: bool, words: str
) -> None:
    decorate: Any = job
    with pytest.raises(InvalidHandler) as refusal:
        decorate(kind="shop.sell", takes_context=takes_context)(function)

    assert (refusal.value.field, words in str(refusal.value)) == ("takes_context", True)


def misfit(handler: JobHandler, **payload: Any) -> str:
    with pytest.raises(InvalidPayload) as refusal:
        handler.check(payload)
    return str(refusal.value)


def test_an_option_among_the_payload_is_told_where_it_belongs() -> None:
    handler = job(kind="shop.sell")(plain)

    assert "using(delay=...).enqueue(...)" in misfit(handler, order_id=1, delay=60)
    assert "using" not in misfit(handler, order_id=1, lag=60)


def test_a_misspelt_name_is_told_which_was_meant() -> None:
    handler = job(kind="shop.sell")(plain)

    assert misfit(handler, order=1).endswith("It takes order_id. Did you mean 'order_id'?")


def test_a_context_that_was_forgotten_to_be_asked_for_is_told() -> None:
    @job(kind="shop.sell")
    def sell(ctx: Any, order_id: int) -> None: ...

    assert "decorate the function with @job(takes_context=True)" in misfit(sell, order_id=1)


def test_a_parameter_that_the_context_takes_is_told() -> None:
    @job(kind="shop.sell", takes_context=True)
    def sell(order_id: Any) -> None: ...

    assert "order_id is the parameter that takes the context" in misfit(sell, order_id=1)


def test_thousands_of_unexpected_names_are_told_in_few_words() -> None:
    handler = job(kind="shop.sell")(plain)

    told = misfit(handler, **{f"name_{number}": 0 for number in range(5_000)})
    assert "(5,001 in all)" in told
    assert len(told) < 2_000
