"""Hiding values by the names they stand under, and the places where texts quote them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_jobs.redaction import (
    MASK,
    SHORTEST,
    NothingHidden,
    hidden,
    masked,
    names,
    restored,
    secrets,
)
from tests.test_jsontext import json_values

HIDDEN = names(["password", "Token", "straße"], field="REDACT")
values = json_values(st.floats(allow_nan=False, allow_infinity=False))
some_names = st.sampled_from(["password", "PASSWORD", "token", "user", "a"])
payloads = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(some_names, inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"password": "x"}, {"password": MASK}),
        ({"PassWord": 1, "user": "ada"}, {"PassWord": MASK, "user": "ada"}),
        ({"a": [{"token": {"deep": 1}}]}, {"a": [{"token": MASK}]}),
        ({"passwords": "x", "my_token": "y"}, {"passwords": "x", "my_token": "y"}),
        ({"straße": "x"}, {"straße": MASK}),
        ({"password": None}, {"password": MASK}),
        (["password"], ["password"]),
        ("password", "password"),
        (None, None),
    ],
    ids=repr,
)
def test_what_stands_under_a_name_is_hidden_whole_at_any_depth(value: Any, seen: Any) -> None:
    assert hidden(value, HIDDEN) == seen


@pytest.mark.parametrize("given", ["password", None, 7, [""], [7], {"a": 1}.values(), b"x"])
def test_names_that_are_none_are_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="REDACT must be names"):
        names(given, field="REDACT")


@given(payloads)
def test_what_is_hidden_and_left_alone_comes_back(value: Any) -> None:
    stored = json.loads(json.dumps(value))

    assert restored(hidden(stored, HIDDEN), stored, HIDDEN) == stored


def test_what_is_typed_in_place_of_a_mask_counts() -> None:
    stored = {"password": "old", "user": "ada", "more": [{"token": 1}]}
    typed = {"password": "new", "user": "bob", "more": [{"token": MASK}]}

    assert restored(typed, stored, HIDDEN) == {**typed, "more": [{"token": 1}]}


def test_a_mask_where_nothing_is_hidden_is_refused() -> None:
    with pytest.raises(NothingHidden, match="token"):
        restored({"token": MASK}, {"password": "old"}, HIDDEN)


def test_a_mask_under_another_name_is_a_text() -> None:
    assert restored({"user": MASK}, {"user": "ada"}, HIDDEN) == {"user": MASK}


@pytest.mark.parametrize(
    "text",
    ["it was {0}", "it was {0!r}", "it was {1}"],
    ids=["plain", "as repr()", "as JSON"],
)
@pytest.mark.parametrize(
    "value", ["hunter2", 'a"b\\c\nd', "ge\N{SNOWMAN}heim", 4111111111111111, 1234.56789], ids=ascii
)
def test_a_text_that_quotes_a_hidden_value_is_masked(text: str, value: Any) -> None:
    quoting = text.format(value, json.dumps(value))

    told = masked(quoting, secrets({"user": [{"password": value}]}, HIDDEN))
    assert MASK in told
    assert str(value) not in told


@pytest.mark.parametrize("value", ["short", 12345, True, None, ""], ids=repr)
def test_what_might_stand_there_by_chance_is_left(value: Any) -> None:
    assert secrets({"password": value}, HIDDEN) == []


def test_the_longest_value_is_masked_first() -> None:
    found = secrets({"password": "secret", "token": "secret and more"}, HIDDEN)

    assert masked("the secret and more", found) == f"the {MASK}"


@given(payloads)
def test_every_secret_is_masked(value: Any) -> None:
    for secret in (found := secrets(value, HIDDEN)):
        assert len(secret) >= SHORTEST
        assert MASK in masked(f"<{secret}>", found)
