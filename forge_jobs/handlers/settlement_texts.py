"""What is kept of an outcome in words: its result, its error and its reason, as long as may be."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from forge_jobs import jsontext
from forge_jobs.conf import conf
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import NotAResult
from forge_jobs.handlers.border import class_path, failed
from forge_jobs.handlers.outcomes import Dead, Failed
from forge_jobs.wording import LONGEST_MESSAGE, trimmed

LONGEST_TRACEBACK: Final = 8_000
LONGEST_NAME: Final = 300

UNSAID: Final = "The handler did not say why."

FORGIVEN: Final = "is_forgiven"
"""In a job's errors, what marks one that cost no attempt."""


def result_text(result: Any) -> str:
    """As it is stored, in JSON; raises `NotAResult`."""
    try:
        text = jsontext.dumps(result, name="the result")
    except jsontext.NotJSON as error:
        raise NotAResult(f"The handler returned neither an outcome nor JSON: {error}") from None
    if jsontext.size(text) > (limit := conf().max_payload_bytes):
        raise NotAResult(
            f"The handler returned a result of {jsontext.size(text):,} bytes, more than the "
            f'{limit:,} of FORGE_JOBS["MAX_PAYLOAD_BYTES"].'
        )
    return text


def unreadable(error: BaseException) -> Failed:
    """A result that is not JSON is told in our words; what its own code raised is not ours."""
    if isinstance(error, NotAResult):
        return Failed(str(error), exception=class_path(type(error)))
    return failed(error, saying="The result could not be read")


def error_text(
    job: ClaimedJob, outcome: Failed | Dead, *, process_name: str, now: datetime, **marks: bool
) -> str:
    return json.dumps(
        {
            **marks,
            "at": now.isoformat(),
            "attempt": job.attempt,
            "message": said(outcome),
            "exception": trimmed(outcome.exception, LONGEST_NAME),
            "traceback": trimmed(outcome.traceback, LONGEST_TRACEBACK),
            "started_at": job.started_at.isoformat() if job.claimed_at else None,
            "process": process_name,
        },
        ensure_ascii=False,
    )


def said(outcome: Failed | Dead) -> str:
    """Never nothing: a dead letter without a word would look like one that has not failed."""
    return trimmed(outcome.message if outcome.message.strip() else UNSAID, LONGEST_MESSAGE)
