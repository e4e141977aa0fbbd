"""Outcomes and transitions word for word, between a process and a child that runs its code."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from forge_jobs import jsontext
from forge_jobs.db.rows import Transition
from forge_jobs.handlers.outcomes import (
    Cancelled,
    Dead,
    Done,
    Failed,
    Interrupted,
    Outcome,
    Released,
    Snoozed,
    Throttled,
)
from forge_jobs.states import State

ENDS: Final = {"run_at", "finished_at"}


def said(outcome: Outcome) -> dict[str, Any]:
    """Of one that is taken over; raises `NotJSON` for a result that is none."""
    match outcome:
        case Done(result):
            jsontext.dumps(result, name="the result")
            return {"came_to": "done", "result": result}
        case Failed(message):
            return {"came_to": "failed", "message": message, **_how(outcome)}
        case Dead(message):
            return {"came_to": "dead", "message": message, **_how(outcome)}
        case Throttled(pause):
            seconds = pause.total_seconds()
            return {"came_to": "throttled", "seconds": seconds, "scope": outcome.scope}
        case Snoozed(until=datetime() as until):
            return {"came_to": "snoozed", "until": until.isoformat()}
        case Snoozed(delay=delay):
            return {"came_to": "snoozed", "seconds": delay.total_seconds()}
        case Cancelled(reason):
            return {"came_to": "cancelled", "reason": reason}
        case Interrupted(message, delay):
            return {"came_to": "interrupted", "message": message, "seconds": delay.total_seconds()}
    return {"came_to": "released"}


def heard(said: dict[str, Any]) -> Outcome:
    match said:
        case {"came_to": "done", "result": result}:
            return Done(result)
        case {"came_to": "failed", "message": message, "traceback": text, "exception": path}:
            return Failed(message, text, path)
        case {"came_to": "dead", "message": message, "traceback": text, "exception": path}:
            return Dead(message, text, path)
        case {"came_to": "throttled", "seconds": seconds, "scope": scope}:
            return Throttled(seconds, scope=scope)
        case {"came_to": "snoozed", "until": until}:
            return Snoozed(until=datetime.fromisoformat(until))
        case {"came_to": "snoozed", "seconds": seconds}:
            return Snoozed(delay=seconds)
        case {"came_to": "cancelled", "reason": reason}:
            return Cancelled(reason)
        case {"came_to": "interrupted", "message": message, "seconds": seconds}:
            return Interrupted(message, timedelta(seconds=seconds))
    return Released()


def said_transition(transition: Transition) -> dict[str, Any]:
    moments = {
        name: moment.isoformat()
        for name in ENDS
        if (moment := getattr(transition, name)) is not None
    }
    return {**transition._asdict(), **moments}


def heard_transition(said: dict[str, Any]) -> Transition:
    moments = {name: datetime.fromisoformat(said[name]) for name in ENDS if said[name] is not None}
    return Transition(**{**said, **moments, "state": State(said["state"])})


def _how(outcome: Failed | Dead) -> dict[str, str]:
    return {"traceback": outcome.traceback, "exception": outcome.exception}
