"""Whether a run failed because its session was lost, and how often that is forgiven a job."""

from __future__ import annotations

from datetime import timedelta
from itertools import takewhile
from threading import Event
from typing import Any, Final

from django.db import Error, InterfaceError, InternalError, OperationalError, connections

from forge_jobs import db
from forge_jobs.causes import causes
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.border import plain
from forge_jobs.handlers.outcomes import Interrupted, Outcome, Released
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.settlement_texts import FORGIVEN
from forge_jobs.models import Job
from forge_jobs.runtime.outage import Stopped, ride_out

MOST_IN_A_ROW: Final = 5
GROWTH: Final = 3
LONGEST_DELAY: Final = timedelta(minutes=1)


def excuse(error: BaseException, job: ClaimedJob, *, stopping: Event) -> Outcome | None:
    """What a run comes to that failed by the loss of its session; None if it failed by itself.

    That a session is lost proves nothing: the handler may be what ends it each time, or what
    brings the server down. So it is forgiven a few times in a row, and told of in the job's
    errors. Waits until the database answers, or the process stops.
    """
    if db.connection().vendor != "postgresql" or not (lost := loss(error, job)):
        return None
    db.connection().close()
    try:
        times = ride_out(
            lambda: forgiven(job), doing="looking after an interrupted job", stopping=stopping
        )
    except Stopped:
        return Released()
    if times >= MOST_IN_A_ROW:
        return None
    return Interrupted(
        f"Its session with the database was lost, which costs no attempt ({times + 1} of "
        f"{MOST_IN_A_ROW} times in a row): {plain(lost).strip() or type(lost).__name__}",
        delay=min(LONGEST_DELAY, timedelta(seconds=GROWTH**times)),
    )


def loss(error: BaseException, job: ClaimedJob) -> BaseException | None:
    """The error that tells of a lost session with the job database, among those that led here.

    The first that has a code decides: what a driver says of a session after its end has none.
    """
    told = [link for link in causes(error) if _is_about_a_session(link)]
    decisive = next((link for link in told if _code(link)), told[0] if told else None)
    if decisive is None or _is_of_another_database():
        return None
    if not db.twin().is_cut_off(code := _code(decisive)):
        return None
    if code == db.twin().READ_ONLY and _made_itself_read_only(job):
        return None
    return decisive


def forgiven(job: ClaimedJob) -> int:
    """How often in a row the job's session was lost before."""
    errors = Job.objects.filter(pk=job.id).values_list("errors", flat=True).first() or []
    return sum(1 for _ in takewhile(lambda one: one.get(FORGIVEN), reversed(errors)))


def _is_about_a_session(error: BaseException) -> bool:
    driver: Any = db.connection()
    return issubclass(  # of what it is, not of what it says of itself
        type(error),
        (OperationalError, InterfaceError, InternalError, driver.Database.OperationalError),
    )


def _code(error: BaseException) -> str | None:
    cause = error.__cause__ if isinstance(error, Error) else error
    code: str | None = getattr(cause, "sqlstate", None)
    return code


def _is_of_another_database() -> bool:
    """Whether this thread had trouble with another one, and none with this."""
    ours = db.connection()
    others = [one for one in connections.all(initialized_only=True) if one is not ours]
    return not ours.errors_occurred and any(one.errors_occurred for one in others)


def _made_itself_read_only(job: ClaimedJob) -> bool:
    """Whether the handler forbade its own session to write; nobody can tell once that is gone."""
    session = db.connection()
    if session.connection is None or registry.get(job.kind).is_async:
        return False
    try:
        with session.cursor() as cursor:
            return not db.twin().refuses_writes(cursor)
    except Error:
        return False
