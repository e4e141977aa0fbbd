"""Storing a job on PostgreSQL and waking others for it, in one message to the server.

Though two transactions: a NOTIFY in that of the job would hold all others up while it commits.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import wake
from forge_jobs.db.postgresql import prepared
from forge_jobs.db.postgresql.bystanders import session_of
from forge_jobs.db.postgresql.inserts import SILENT, TOLD_OF, inserted_row, question
from forge_jobs.db.postgresql.pipeline import Pipeline, Question, break_off, can_pipeline
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
    if not prepared.is_used(session_of(connection)) or not can_pipeline(connection):
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
    with Pipeline(connection, of_job, news.question()) as pipeline:
        stored = _stored(row, pipeline)
        if stored:
            wake.on_commit(row.queue, tell=lambda: _tell(pipeline, news), connection=connection)
    return stored


def _tell(pipeline: Pipeline, news: News) -> None:
    pipeline.insist()
    news.are_sent()


def _untold(row: NewRow, connection: BaseDatabaseWrapper, of_job: Question) -> Stored | None:
    """Others were told only just; whether that was too early is known when it is stored."""
    with Pipeline(connection, of_job) as pipeline:
        stored = _stored(row, pipeline)
    if stored:
        wake.on_commit(row.queue, connection=connection)
    return stored


def _stored(row: NewRow, pipeline: Pipeline) -> Stored | None:
    answer = pipeline.ask()
    inserted = inserted_row(answer) if answer else None
    return Stored(row, inserted.id, inserted) if inserted else None
