"""What a command's job asks for: read from its payload, within what its kind allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from forge_jobs.children.program import are_texts, is_environment, is_text
from forge_jobs.durations import LONGEST
from forge_jobs.exceptions import InvalidPayload
from forge_jobs.wording import listed, meant, quoted


@dataclass(frozen=True, kw_only=True)
class Order:
    """One command; `timeout_secs` of None is that of the job."""

    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""
    stdin: str = ""
    timeout_secs: float | None = None

    @classmethod
    def read(cls, payload: dict[str, Any]) -> Self:
        """Raises `InvalidPayload`, whose message names what is wrong."""
        known = [one.name for one in fields(cls)]
        for name, given in payload.items():
            if name not in known:
                raise refused(f"has no {name!r}.{meant(name, known)} It may have {listed(known)}")
            allows, words = RULES[name]
            if not allows(given):
                raise refused(f"has as {name} {quoted(given)}, which must be {words}")
        if "argv" not in payload:
            raise refused("must have an argv: the program and its arguments, a list of texts")
        return cls(**payload)


def refused(why: str) -> InvalidPayload:
    return InvalidPayload(f"The payload of a command {why}.", field="payload")


def _is_duration(given: Any) -> bool:
    return type(given) in (int, float) and 0 < given <= LONGEST.total_seconds()


RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "argv": (are_texts, "a list of texts, the program first"),
    "env": (is_environment, "a dictionary of texts"),
    "cwd": (is_text, "a folder"),
    "stdin": (lambda given: isinstance(given, str), "a text"),
    "timeout_secs": (
        _is_duration,
        f"a number of seconds above 0, and of no more than {LONGEST.days:,} days",
    ),
}
