"""Storing a job on PostgreSQL and waking others for it, in one message to the server.

Though two transactions: a NOTIFY in that of the job would hold all others up while it commits.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import wake
from forge_jobs.db.postgresql import kept
from forge_jobs.db.postgresql.breath import (
    Breath,
    Question,
    break_off,
    can_breathe,
    session_of,
)
from forge_jobs.db.postgresql.inserts import SILENT, TOLD_OF, inserted_row, question
from forge_jobs.db.rows import NewRow
from forge_jobs.enqueueing.stored import Stored
from forge_jobs.states import State
from forge_jobs.wake.postgresql import News


def store_and_tell(row: NewRow, connection: BaseDatabaseWrapper) -> Stored | None:
    """None where that can't be, or if it was refused: then nothing is stored, and nobody told.

    Whoever then asks in the usual way hears why.
    """
    if row.state != State.READY or any(row.keys) or row.extras:
        return None
    if not kept.is_used(session_of(connection)) or not can_breathe(connection):
        return None
    news = News.of(row.queue)
    of_job = question(row, TOLD_OF if news else SILENT)
    if of_job is None:
        return None
    try:
        return _told(row, connection, of_job, news) if news else _untold(row, connection, of_job)
    except BaseException:  # a job that is killed may be so between any two instructions
        break_off(connection)
        raise


def _told(
    row: NewRow, connection: BaseDatabaseWrapper, of_job: Question, news: News
) -> Stored | None:
    with Breath(connection, of_job, news.question()) as breath:
        stored = _stored(row, breath)
        if stored:
            wake.on_commit(row.queue, tell=lambda: _tell(breath, news))
    return stored


def _tell(breath: Breath, news: News) -> None:
    breath.insist()
    news.are_sent()


def _untold(row: NewRow, connection: BaseDatabaseWrapper, of_job: Question) -> Stored | None:
    """Others were told only just; whether that was too early is known when it is stored."""
    with Breath(connection, of_job) as breath:
        stored = _stored(row, breath)
    if stored:
        wake.on_commit(row.queue)
    return stored


def _stored(row: NewRow, breath: Breath) -> Stored | None:
    answer = breath.ask()
    inserted = inserted_row(answer) if answer else None
    return Stored(row, inserted.id, inserted) if inserted else None
