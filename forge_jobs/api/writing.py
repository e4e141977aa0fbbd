"""Writes answers, and does what is asked for as one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.http import HttpRequest
from django.utils.functional import Promise
from ninja.renderers import BaseRenderer

from forge_jobs import db

R = TypeVar("R")


class JSONRenderer(BaseRenderer):
    """Moments to the microsecond, as they are stored, and no `NaN`, which is no JSON."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        return json.dumps(data, default=_written, allow_nan=False, separators=(",", ":"))


def as_one(act: Callable[[], R]) -> R:
    """All of it or nothing, tried again while somebody else keeps SQLite from being written to."""

    def whole() -> R:
        with transaction.atomic(using=db.connection().alias):
            db.take_turn_to_write()
            return act()

    return db.unless_locked(whole)


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} is nothing to answer with.")
