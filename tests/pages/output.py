"""Compares what a page says is printed with what is: numbers and moments differ, words do not."""

import re

MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
LENT = r"shop_\d+_\d+"
SPAN = r"(?:\d[\d.,]* (?:ms|s|min|h|d)\b ?)+"
NUMBER = r"\S*\d\S*"


def compare(*, shown: str, printed: str) -> None:
    """Raise `AssertionError` unless all that is shown is printed; `…` stands for any lines."""
    parts = [_plain(part) for part in re.split(r"^ *…$", shown, flags=re.MULTILINE)]
    pattern = ".*".join(re.escape(part) for part in parts)
    if not re.search(pattern, _plain(printed), re.DOTALL):
        raise AssertionError(f"This is printed:\n{printed}")


def _plain(text: str) -> str:
    """One space for many, `0` for what has a digit, `0 s` for a span of time."""
    for pattern, word in ((LENT, "shop"), (MOMENT, "0"), (SPAN, "0 s "), (NUMBER, "0")):
        text = re.sub(pattern, word, text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
