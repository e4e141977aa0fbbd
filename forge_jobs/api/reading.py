"""Reads the body of a request: no more than there may be, and nothing that can't be stored."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from forge_jobs import jsontext
from forge_jobs.api.problems import Problem, invalid
from forge_jobs.conf import conf

BESIDE_THE_PAYLOAD: Final = 64 * 1024


class ReadParser(Parser):
    """For django-ninja: hands out what the door has read."""

    def parse_body(self, request: HttpRequest) -> Any:
        return body_of(request)


def body_of(request: HttpRequest) -> Any:
    """What `read_body()` has left with the request."""
    return request.forge_jobs_body  # type: ignore[attr-defined] # where Django has no place


def read_body(request: HttpRequest) -> None:
    """Leave what was sent with the request, for the parser; raises `Problem`."""
    limit = conf().max_payload_bytes + BESIDE_THE_PAYLOAD
    if _announced(request) > limit:
        raise _too_large(limit)
    sent = request.read(limit + 1)
    if len(sent) > limit:
        raise _too_large(limit)
    request._body = sent  # where Django itself keeps it
    if not sent:
        return
    if request.content_type != "application/json":
        raise Problem(
            415, "not-json", "Send the body as JSON, with Content-Type: application/json."
        )
    request.forge_jobs_body = _json(sent)  # type: ignore[attr-defined] # see `body_of()`


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _json(sent: bytes) -> dict[str, Any]:
    try:
        given = json.loads(
            sent.decode(), parse_constant=_refuse_constant, object_pairs_hook=_of_pairs
        )
    except RecursionError:
        raise _unreadable("It is nested too deeply.") from None
    except UnicodeDecodeError:
        raise _unreadable("It is not UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _unreadable(f"{error.msg} at {where}.") from None
    except ValueError as error:  # of names that come twice, and numbers that are too long
        raise _unreadable(f"{error}") from None
    if not isinstance(given, dict):
        raise invalid(("body", "body must be a JSON object."))
    try:
        jsontext.dumps(given, name="body")
    except jsontext.NotJSON as error:
        raise invalid(("body", str(error))) from None
    return given


def _of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that comes twice, others may have looked at the other value, and let it pass."""
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{json.dumps(twice[:100])} comes twice.")
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON.")


def _unreadable(why: str) -> Problem:
    return Problem(400, "bad-request", f"The body can't be read: {why}")


def _too_large(limit: int) -> Problem:
    return Problem(413, "too-large", f"The body may have {limit:,} bytes.")
