"""The same request sent twice makes one job: by the job's own idempotency key."""

from __future__ import annotations

import json
from typing import Any, Final

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from forge_jobs.api.auth import TokenUser
from forge_jobs.api.problems import Problem
from forge_jobs.models import Job

LONGEST_KEY: Final = 150
ORIGIN: Final = "forge_jobs.api"
"""In a job's context, under which it is kept who asked for what."""


def own_key(user: Any, key: str | None) -> str | None:
    """The key as jobs have it: what others send is never in the way."""
    if key is None:
        return None
    whose = f"t{user.token.pk}" if isinstance(user, TokenUser) else f"u{user.pk}"
    return f"api:{whose[:40]}:{key}"


def origin(user: Any, key: str | None, asked: dict[str, Any]) -> dict[str, Any]:
    """What is kept with the job."""
    told = {"by": user.get_username()}
    return {ORIGIN: told | ({"request": _digests(asked)[0]} if key else {})}


def earlier(key: str | None, asked: dict[str, Any]) -> Job | None:
    """The job that the same request has made; raises `Problem` if it was another request."""
    if key is None:
        return None
    job = Job.objects.filter(idempotency_key=key).only("context").first()
    if job is not None:
        refuse_other(job, asked)
    return job


def refuse_other(job: Job, asked: dict[str, Any]) -> None:
    kept = job.context.get(ORIGIN, {}) if isinstance(job.context, dict) else {}
    known = str(kept.get("request", "")) if isinstance(kept, dict) else ""
    if not any(constant_time_compare(known, digest) for digest in _digests(asked)):
        raise Problem(
            422,
            "key-reused",
            "This Idempotency-Key came with another body before: use a new key for a new request.",
            faults=[("Idempotency-Key", "It was used for another request.")],
        )


def _digests(asked: dict[str, Any]) -> list[str]:
    """By the project's secret: whoever sees them can't try out what the payload may have been."""
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac(ORIGIN, text, key, algorithm="sha256").hexdigest() for key in keys]
