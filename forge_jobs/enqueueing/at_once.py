"""Storing a job on PostgreSQL and waking others for it, in one message to the server.

Though two transactions: a NOTIFY in that of the job would hold all others up while it commits.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import wake
from forge_jobs.db.postgresql.breath import Breath, can_breathe
from forge_jobs.db.postgresql.inserts import inserted_row, question
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
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    if not can_breathe(connection):
        return None
    of_job, news = question(row), News.of(row.queue)
    if of_job is None or news is None:
        return None
    with Breath(connection, of_job, news.question()) as breath:
        answer = breath.ask()
        inserted = inserted_row(answer) if answer else None
        if inserted is None:
            return None
        wake.on_commit(row.queue, tell=lambda: _tell(breath, news))
    return Stored(row, inserted.id, inserted)


def _tell(breath: Breath, news: News) -> None:
    breath.ask_next()
    news.are_sent()
