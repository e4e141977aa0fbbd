"""JSON texts: what is stored comes back the same, and what would not is refused, with its path."""

import json
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from django.utils.functional import SimpleLazyObject
from hypothesis import given
from hypothesis import strategies as st

from forge_jobs.jsontext import NotJSON, dumps, size
from forge_jobs.models import Job

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def json_values(floats: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    """All that JSON can say, and tuples."""
    return st.recursive(
        st.none() | st.booleans() | st.integers() | floats | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner) | st.tuples(inner, inner),
        max_leaves=20,
    )


values = json_values(st.floats(allow_nan=False, allow_infinity=False))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
anything = st.recursive(
    scalars | st.binary() | st.dates(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(scalars, inner),
    max_leaves=10,
)


def with_lists(value: Any) -> Any:
    match value:
        case list() | tuple():
            return [with_lists(item) for item in value]
        case dict():
            return {key: with_lists(item) for key, item in value.items()}
    return value


class Point(NamedTuple):
    x: int
    y: int


@given(values)
def test_json_is_accepted_and_comes_back_the_same_with_lists_for_tuples(value: Any) -> None:
    assert json.loads(dumps(value, name="payload")) == with_lists(value)


@given(anything)
def test_whatever_is_accepted_comes_back_the_same(value: Any) -> None:
    try:
        text = dumps(value, name="payload")
    except NotJSON:
        return
    assert json.loads(text) == with_lists(value)


@given(values)
def test_the_size_of_a_text_is_its_length_in_utf_8(value: Any) -> None:
    text = dumps(value, name="payload")

    assert size(text) == len(text.encode())


def test_a_named_tuple_is_a_list() -> None:
    assert dumps({"at": Point(1, 2)}, name="payload") == '{"at":[1,2]}'


@pytest.mark.parametrize("value", ["\\u0000", "\\\\u0000", "\N{SYMBOL FOR NULL}", "\x01", "🦆"])
def test_a_text_that_only_resembles_what_is_refused_is_accepted(value: str) -> None:
    assert json.loads(dumps([value, {value: value}], name="payload")) == [value, {value: value}]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_a_number_that_json_has_no_word_for_is_refused(number: float) -> None:
    with pytest.raises(NotJSON, match=rf"payload\.sizes\[1\] is {number}"):
        dumps({"sizes": [1.5, number]}, name="payload")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"word": "a\0b"}, r"payload\.word"),
        ({"words": ["a", {"b": "\0"}]}, r"payload\.words\[1\]\.b"),
        ({"words": {"a\0b": 1}}, r"a key of payload\.words"),
    ],
    ids=repr,
)
def test_the_character_nul_is_refused(value: Any, path: str) -> None:
    with pytest.raises(NotJSON, match=f"{path} contains the character NUL"):
        dumps(value, name="payload")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"word": "\ud800"}, r"payload\.word"),
        ({"words": ["a", "\udfff"]}, r"payload\.words\[1\]"),
        ({"words": {"\ud800": 1}}, r"a key of payload\.words"),
    ],
    ids=ascii,
)
def test_half_a_surrogate_pair_is_refused(value: Any, path: str) -> None:
    with pytest.raises(NotJSON, match=f"{path} contains half a surrogate pair"):
        dumps(value, name="payload")


@pytest.mark.parametrize("key", [1, 1.5, None, True, (1, 2), date(2026, 3, 2)], ids=repr)
def test_a_key_that_is_no_string_is_refused(key: Any) -> None:
    with pytest.raises(NotJSON, match=r"payload\.scores has the key .*; the keys of JSON are str"):
        dumps({"scores": {"a": 1, key: 2}}, name="payload")


@pytest.mark.parametrize(
    "value", [date(2026, 3, 2), Decimal("1.5"), b"bytes", {1, 2}, 1j, object, range(2)], ids=repr
)
def test_what_is_not_json_is_refused_with_its_path_and_its_type(value: Any) -> None:
    with pytest.raises(NotJSON, match=r"payload\.pages\[0\]\.x is not JSON: ") as refusal:
        dumps({"pages": [{"x": value}]}, name="payload")

    assert type(value).__name__ in str(refusal.value)


@pytest.mark.parametrize("value", ["a", 1, 1.5, float("nan"), [1], {"a": 1}], ids=repr)
def test_a_lazy_object_is_refused_though_it_calls_itself_what_it_stands_for(value: Any) -> None:
    lazy = SimpleLazyObject(lambda: value)
    with pytest.raises(NotJSON, match=r"payload\.pages\[0\] is not JSON: .*SimpleLazyObject"):
        dumps({"pages": [lazy]}, name="payload")
    with pytest.raises(NotJSON, match=r"payload\.page is not JSON: .*SimpleLazyObject"):
        dumps({"page": lazy}, name="payload")


def test_a_lazy_key_is_refused() -> None:
    lazy = SimpleLazyObject(lambda: "a")
    with pytest.raises(NotJSON, match=r"payload has the key <SimpleLazyObject: 'a'>"):
        dumps({lazy: 1}, name="payload")


def test_a_number_longer_than_python_reads_is_refused() -> None:
    with pytest.raises(NotJSON, match=r"payload\.number"):
        dumps({"number": 10**5_000}, name="payload")


def test_the_name_is_the_path_of_the_whole() -> None:
    with pytest.raises(NotJSON, match=r"^the result is not JSON"):
        dumps(b"", name="the result")


def test_a_model_instance_is_refused_with_the_advice_to_pass_its_key() -> None:
    with pytest.raises(NotJSON, match=r"payload\.job is not JSON: .*pass its primary key"):
        dumps({"job": Job()}, name="payload")


def test_a_value_that_contains_itself_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append({"again": cycle})

    with pytest.raises(NotJSON, match="payload is nested too deeply, or contains itself"):
        dumps(cycle, name="payload")


def test_a_value_may_occur_twice() -> None:
    shared = {"a": [1]}

    assert json.loads(dumps([shared, shared], name="payload")) == [shared, shared]
