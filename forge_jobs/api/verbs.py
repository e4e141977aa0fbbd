"""What is done to one row: for each button of the admin that asks for nothing, an address."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest
from ninja import Router

from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import Done, Id, Name

View = Callable[..., dict[str, str]]


class Verb(NamedTuple):
    """The last word of the address, and what it is called; buttons are mostly called alike."""

    word: str
    operation: str
    summary: str
    description: str = ""
    button: str = ""


def add_verbs(router: Router, rows: str, at: Callable[[HttpRequest], Seat], *verbs: Verb) -> None:
    """`rows` is the address of a row, by `{int:id}` or `{path:name}`."""
    of_row = _of_named if rows.endswith("{path:name}") else _of_numbered
    for verb in verbs:
        router.post(
            f"{rows}/{verb.word}",
            response=Done,
            operation_id=verb.operation,
            url_name=verb.operation,
            summary=verb.summary,
            description=verb.description or None,
        )(of_row(at, verb.button or f"forge_jobs_{verb.operation}"))


def _of_numbered(at: Callable[[HttpRequest], Seat], button: str) -> View:
    def press(request: HttpRequest, id: Id) -> dict[str, str]:
        return at(request).press(button, {"pk": id})

    return press


def _of_named(at: Callable[[HttpRequest], Seat], button: str) -> View:
    def press(request: HttpRequest, name: Name) -> dict[str, str]:
        return at(request).press(button, {"name": name})

    return press
