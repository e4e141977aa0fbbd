"""Words for errors: quotes that never fail and are never long, and guesses at what was meant."""

import pytest

from forge_jobs.wording import (
    LONGEST_QUOTE,
    in_one_line,
    listed,
    meant,
    printable,
    quoted,
)

pytestmark = pytest.mark.once


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("not to be told")


class Leaving:
    def __repr__(self) -> str:
        raise SystemExit(3)


class Interrupted:
    def __repr__(self) -> str:
        raise KeyboardInterrupt


def test_what_can_be_told_is_quoted_as_python_does() -> None:
    assert [quoted(one) for one in ("a\n", 7, None, [1], {"a": 1}, b"x")] == [
        "'a\\n'", "7", "None", "[1]", "{'a': 1}", "b'x'",
    ]  # fmt: skip


def test_what_can_not_be_told_is_called_by_its_class() -> None:
    assert "Unspeakable" in quoted(Unspeakable())
    assert "Unspeakable" in quoted([Unspeakable()])
    assert quoted(Leaving()) == "<Leaving, which can't be told>"


def test_ctrl_c_gets_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        quoted(Interrupted())


@pytest.mark.parametrize(
    "value", ["x" * 10**6, list(range(10**6)), {str(n): n for n in range(10**5)}, 10**4_000]
)
def test_no_quote_is_longer_than_a_line_or_two(value: object) -> None:
    assert len(quoted(value)) <= LONGEST_QUOTE + 20


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("defualt", " Did you mean 'default'?"),
        ("THREADS", " Did you mean 'threads'?"),
        ("send_receipt", " Did you mean 'orders.send_receipt'?"),
        ("something else", ""),
        ("x" * 10**6, ""),
        ("", ""),
        (7, ""),
    ],
)
def test_the_nearest_of_what_is_known_was_meant(given: object, hint: str) -> None:
    assert meant(given, ["default", "threads", "orders.send_receipt"]) == hint


def test_of_many_names_the_first_are_listed() -> None:
    assert (listed([]), listed(["a", "b"])) == ("none", "a, b")
    assert listed(map(str, range(1_000))).endswith("18, 19, … (1,000 in all)")


@pytest.mark.parametrize(
    "mark", ["\x1b", "\r", "\x07", "\x9b", "\u202e", "\u2066", "\u2028", "\ud800"]
)
def test_what_would_steer_a_terminal_is_written_out(mark: str) -> None:
    told = mark.encode("unicode_escape").decode()

    assert printable(f"a{mark}b") == in_one_line(f"a{mark}b") == f"a{told}b"


def test_lines_and_tabs_stay_unless_it_is_to_be_one_line() -> None:
    assert printable("a\n\tb") == "a\n\tb"
    assert in_one_line("a\n\tb") == "a\\n\\tb"
