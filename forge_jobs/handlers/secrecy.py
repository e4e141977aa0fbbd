"""What others may see of a job: by its kind, and by what the settings say of all kinds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from forge_jobs import redaction
from forge_jobs.conf import conf
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers.border import own
from forge_jobs.handlers.outcomes import Cancelled, Dead, Done, Failed, Outcome
from forge_jobs.handlers.registry import registry
from forge_jobs.redaction import Names


def names_of(kind: str) -> Names:
    """Under which names values of this kind are hidden; of an unknown kind, those of all."""
    handler = registry.find(kind)
    own = handler.redact if handler else None
    return conf().redact.union(own) if own else conf().redact


def shown(value: Any, *, kind: str) -> Any:
    """A payload, a result or a context as people may see it."""
    return redaction.hidden(value, names_of(kind))


def shown_job(job: ClaimedJob) -> ClaimedJob:
    """A job as receivers of signals may see it."""
    if not (names := names_of(job.kind)):
        return job
    return job._replace(payload=_shown(job.payload, names), context=_shown(job.context, names))


def shown_transition(job: ClaimedJob, transition: Transition) -> Transition:
    if transition.result is None or not (names := names_of(job.kind)):
        return transition
    return transition._replace(result=_shown(transition.result, names))


def shown_outcome(job: ClaimedJob, outcome: Outcome, transition: Transition) -> Outcome:
    if isinstance(outcome, Done) and names_of(job.kind):
        shown = shown_transition(job, transition).result
        return Done(None if shown is None else json.loads(shown))
    return without_secrets(job, outcome)


def without_secrets(job: ClaimedJob, outcome: Outcome) -> Outcome:
    """An outcome whose texts hold none of the values that are hidden in the job's payload."""
    return without_secrets_of([job], outcome)


def without_secrets_of(jobs: Sequence[ClaimedJob], outcome: Outcome) -> Outcome:
    """The same of several jobs, any of which the texts may quote."""
    if not isinstance(outcome, Failed | Dead | Cancelled):
        return outcome
    return without(outcome, secrets_of(jobs))


def secrets_of(jobs: Iterable[ClaimedJob]) -> list[str]:
    """The texts that nobody should read, in the payloads and contexts of jobs."""
    found: list[str] = []
    for job in jobs:
        with suppress(ValueError):  # what is stored is no JSON; none of it is told
            found += _secrets(job)
    return found


def without(outcome: Outcome, secrets: list[str]) -> Outcome:
    """The outcome with a mask for each of these in its texts; with the error that it is made of."""
    if not secrets:
        return outcome
    told = _masked_outcome(outcome, secrets)
    if error := vars(outcome).get("error"):
        vars(told)["error"] = error
    return told


def _masked_outcome(outcome: Outcome, secrets: list[str]) -> Outcome:
    match own(outcome):
        case Failed(message) | Dead(message) as error:
            return type(error)(
                redaction.masked(message, secrets),
                traceback=redaction.masked(error.traceback, secrets),
                exception=error.exception,
            )
        case Cancelled(reason):
            return Cancelled(redaction.masked(reason, secrets))
    return outcome


def told(job: ClaimedJob, transition: Transition, *, outcome: Outcome) -> Transition:
    """The same for what is to be stored: an error may quote what the handler had returned."""
    if not (transition.error or transition.last_error) or not (names := names_of(job.kind)):
        return transition
    secrets = _secrets(job)
    if isinstance(outcome, Done):
        secrets = [*_returned(outcome, names), *secrets]
    return transition._replace(
        error=transition.error and _masked(transition.error, secrets),
        last_error=redaction.masked(transition.last_error, secrets),
    )


def told_progress(job: ClaimedJob, progress: str) -> str:
    """A progress as JSON, whose message may hold none of them either."""
    secrets = _secrets(job)
    return _masked(progress, secrets) if secrets else progress


def _secrets(job: ClaimedJob) -> list[str]:
    names = names_of(job.kind)
    if not names:
        return []
    return redaction.secrets([json.loads(job.payload), json.loads(job.context)], names)


def _returned(outcome: Done, names: Names) -> list[str]:
    try:
        return redaction.secrets(outcome.result, names)
    except BaseException:  # of the result's own code
        return []


def _shown(text: str, names: Names) -> str:
    return json.dumps(redaction.hidden(json.loads(text), names), ensure_ascii=False)


def _masked(text: str, secrets: list[str]) -> str:
    """A JSON object whose strings hold none of the secrets."""
    told = {
        key: redaction.masked(item, secrets) if isinstance(item, str) else item
        for key, item in json.loads(text).items()
    }
    return json.dumps(told, ensure_ascii=False)
