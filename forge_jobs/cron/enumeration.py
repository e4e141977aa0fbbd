"""Puts sets of numbers in words, as short as they can be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

SHORTEST_RUN: Final = 3
SHORTEST_PROGRESSION: Final = 4


def joined(parts: Sequence[str]) -> str:
    """Such as "Monday, Tuesday and Friday"."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last


def counted(unit: str, number: int) -> str:
    """Such as "1 minute" and "5 minutes"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def ordinal(number: int) -> str:
    """Such as "3rd"."""
    teens = number // 10 % 10 == 1
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def spelled(numbers: Sequence[int], name: Callable[[int], str] = str) -> str:
    """Such as "1, 3 and 5 through 9"; the numbers are in their order."""
    parts: list[str] = []
    for first, last in runs(numbers):
        if last - first + 1 >= SHORTEST_RUN:
            parts.append(f"{name(first)} through {name(last)}")
        else:
            parts += [name(number) for number in range(first, last + 1)]
    return joined(parts)


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """From where to where they follow one another."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found


def step(numbers: Sequence[int]) -> int:
    """How far each is from the one before, if that is always the same; 0 if not."""
    steps = {later - sooner for sooner, later in pairwise(numbers)}
    return steps.pop() if len(steps) == 1 else 0


def is_progression(numbers: Sequence[int]) -> bool:
    """Whether it is shorter to say its step than its numbers."""
    distance = step(numbers)
    return (
        len(numbers) >= (SHORTEST_RUN if distance == 1 else SHORTEST_PROGRESSION) and distance > 0
    )
