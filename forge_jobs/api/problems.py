"""What is answered where something is wrong: `application/problem+json`, as RFC 9457 has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.http import HttpResponse

MEDIA_TYPE: Final = "application/problem+json"

TITLES: Final = {
    "bad-request": "The request can't be understood.",
    "unauthorized": "It is not known who asks.",
    "forbidden": "It is not allowed.",
    "not-found": "There is no such thing.",
    "method-not-allowed": "It can't be asked for in this way.",
    "conflict": "Things are not as they would have to be.",
    "too-large": "The body is too large.",
    "not-json": "The body is not JSON.",
    "invalid": "Something in the request is not as it must be.",
    "key-reused": "The Idempotency-Key was used for another request.",
    "failed": "Something has failed that should not.",
    "unavailable": "The database can't be reached, or is busy.",
}

Faults = Iterable[tuple[str, str]]
"""The names of fields, and what is wrong with each."""


class Problem(Exception):
    """Ends a request; `code` is one of `TITLES`."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        faults: Faults = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.faults = list(faults)
        self.headers = headers or {}

    def response(self) -> HttpResponse:
        told: dict[str, Any] = {
            "type": f"urn:forge-jobs:problem:{self.code}",
            "title": TITLES[self.code],
            "status": self.status,
            "detail": str(self),
            "errors": [{"field": field, "reason": reason} for field, reason in self.faults],
        }
        # What somebody sent may be told again, and be no valid Unicode: so nothing but ASCII.
        return HttpResponse(
            json.dumps(told),
            status=self.status,
            content_type=MEDIA_TYPE,
            headers=dict(self.headers),
        )


def forbidden(detail: str) -> Problem:
    return Problem(403, "forbidden", detail)


def not_found(detail: str) -> Problem:
    return Problem(404, "not-found", detail)


def conflict(detail: str) -> Problem:
    return Problem(409, "conflict", detail)


def invalid(*faults: tuple[str, str]) -> Problem:
    return Problem(422, "invalid", faults[0][1], faults=faults)
