"""Where in a payload something is: `lines[0].price`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from forge_jobs.wording import quoted

UNTOLD: Final = "[...]"
"""What msgspec says for whichever key of a dictionary."""

_STEPS: Final = re.compile(r"\[(\d+)\]|\.?([^.\[]+)")


def within(path: str, name: Any) -> str:
    is_plain = isinstance(name, str) and name.isidentifier()
    return f"{path}.{name}" if is_plain else f"{path}[{quoted(name)}]"


def spelled(path: str, given: Any, *, fault: Callable[[Any], str]) -> str:
    """The path with the keys that are untold, found by trying one after the other.

    `fault` gives the path of what is wrong in a value, where keys are untold.
    """
    head, *rest = path.split(UNTOLD)
    told, steps = head, _steps(head)
    for part in rest:
        holder = _at(given, steps)
        if not isinstance(holder, dict):
            return path
        for key in holder:
            if fault(trial := _with_only(key, given, steps)) == path:
                given = trial
                told = within(told, key) + part
                steps += [key, *_steps(part)]
                break
        else:
            return path
    return told


def _steps(path: str) -> list[Any]:
    return [int(place) if place else name for place, name in _STEPS.findall(path)]


def _at(value: Any, steps: Iterable[Any]) -> Any:
    for step in steps:
        is_there = isinstance(value, list | tuple) or (isinstance(value, dict) and step in value)
        value = value[step] if is_there else None
    return value


def _with_only(key: Any, value: Any, steps: Sequence[Any]) -> Any:
    """A copy in which the dictionary at the end of the steps has only this key."""
    if not steps:
        return {key: value[key]}
    step, *rest = steps
    copy: Any = list(value) if isinstance(value, list | tuple) else dict(value)
    copy[step] = _with_only(key, value[step], rest)
    return copy
