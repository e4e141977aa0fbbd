"""Messages and tracebacks: whatever they are, they are stored, long ones without their middle."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_jobs import Cancelled, Dead, Failed, Outcome
from forge_jobs.handlers.settlement_texts import LONGEST_TRACEBACK
from forge_jobs.wording import LONGEST_MESSAGE, trimmed
from tests.handlers.test_settlement import error_of, settled


@pytest.mark.parametrize("outcome", [Failed, Dead, Cancelled])
@pytest.mark.parametrize("message", [404, ValueError("no such page")], ids=repr)
def test_a_message_of_any_type_can_be_settled(
    outcome: Callable[[Any], Outcome], message: object
) -> None:
    assert settled(outcome(message)).last_error == str(message)


def test_a_long_message_loses_its_middle() -> None:
    transition = settled(Failed("a" * LONGEST_MESSAGE + "z" * LONGEST_MESSAGE))

    assert transition.last_error == error_of(transition)["message"]
    assert len(transition.last_error) < LONGEST_MESSAGE + 100
    assert transition.last_error.startswith("a" * 900)
    assert transition.last_error.endswith("z" * 900)


def test_a_long_traceback_loses_its_middle() -> None:
    traceback = "first\n" + "line\n" * LONGEST_TRACEBACK + "last"
    kept = error_of(settled(Failed("no", traceback=traceback)))["traceback"]

    assert len(kept) < LONGEST_TRACEBACK + 100
    assert kept.startswith("first\n")
    assert kept.endswith("last")
    assert "characters left out" in kept


def test_what_is_left_out_is_counted() -> None:
    assert trimmed("a" * 50 + "-" * 2_000 + "z" * 50, 100) == (
        "a" * 50 + "\n… 2,000 characters left out …\n" + "z" * 50
    )


def test_a_text_of_the_greatest_length_is_kept() -> None:
    assert trimmed("a" * 100, 100) == "a" * 100


@given(st.text(st.characters()), st.integers(1, 50))
def test_a_trimmed_text_can_be_stored(text: str, longest: int) -> None:
    kept = trimmed(text, longest)

    assert "\0" not in kept
    assert kept.encode().decode() == kept
