"""Tells an API over HTTP what is published, and turns its answer into an outcome."""

import json
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings

from forge_jobs import Dead, Failed, Throttled

TIMEOUT_SECONDS = 10
PATIENCE_SECONDS = 5
"""How long to wait where the API asks for patience but does not say how much."""

# The API lives on this machine: no proxy that the environment names should come in between.
OPENER = build_opener(ProxyHandler({}))


def post(told: Mapping[str, Any], *, idempotency_key: str) -> str:
    """The address that the API gave to what it was told of.

    Raises `Throttled` for 429, `Dead` for other refusals, `Failed` for what may pass by itself.
    """
    try:
        with OPENER.open(_request(told, idempotency_key), timeout=TIMEOUT_SECONDS) as response:
            return str(json.load(response)["address"])
    except HTTPError as answer:
        with answer:
            raise _refusal(answer.code, answer.headers) from answer
    except (OSError, HTTPException) as error:
        raise Failed(f"the API can't be reached: {getattr(error, 'reason', error)}") from error


def _request(told: Mapping[str, Any], idempotency_key: str) -> Request:
    return Request(  # noqa: S310 - the address is the project's own setting
        settings.GALLERY_API_URL,
        data=json.dumps(told).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": idempotency_key},
    )


def _refusal(status: int, headers: Message) -> Throttled | Failed | Dead:
    match status:
        case 429:
            return Throttled(_seconds(headers.get("Retry-After")))
        case _ if status >= 500:
            return Failed(f"the API answered {status}")
        case _:
            return Dead(f"the API refused it: {status}")


def _seconds(retry_after: str | None) -> int:
    return int(retry_after) if retry_after and retry_after.isdecimal() else PATIENCE_SECONDS
