"""A statement, and another for when it is committed, in one message to the server."""

import select
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, Self

import psycopg
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import error_from_result
from psycopg.pq import (
    ConnStatus,
    DiagnosticField,
    ExecStatus,
    PipelineStatus,
    TransactionStatus,
)
from psycopg.pq.abc import PGresult

from forge_jobs.db.postgresql import prepared
from forge_jobs.db.postgresql.bystanders import nobody_stands_between

DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
PIPELINE_SYNC: Final = ExecStatus.PIPELINE_SYNC
IS_SUPPORTED: Final = psycopg.Pipeline.is_supported() and hasattr(select, "poll")
"""Not all systems can wait like that, and what makes threads of others takes it away."""
CUT_SHORT: Final = (b"57014", b"55P03")
"""Cancelled, be it by a limit of its time; and one that waited too long for a lock."""

OF_THIS_TIME: Final = (b"22", b"23", b"40")
"""Classes of what is said of values, and of what others did at the same time."""


class Question(NamedTuple):
    """A statement that the server keeps under its name, once it was told, and its parameters.

    Others that look on at what Django asks see it as `sql`, with `shown`.
    """

    name: str
    statement: str
    values: Sequence[str | None]
    sql: str
    shown: Sequence[Any] | Mapping[str, Any]


def can_pipeline(connection: BaseDatabaseWrapper) -> bool:
    """Whether statements may be asked like that: each by itself, and nobody would notice."""
    session = connection.connection
    return (
        IS_SUPPORTED
        and connection.autocommit
        and not connection.in_atomic_block
        and session.prepare_threshold is None
        and session.pgconn.transaction_status == TransactionStatus.IDLE
        and nobody_stands_between(connection)
    )


def break_off(connection: BaseDatabaseWrapper) -> None:
    """End a `Pipeline` that something was raised in, even where it would have ended by itself."""
    session = connection.connection
    is_in_order = session is None or session.pgconn.pipeline_status == PipelineStatus.OFF
    if not is_in_order and session.pgconn.status == ConnStatus.OK:
        connection.close()


class Pipeline:
    """Transactions of a statement each, all of them asked at once, and answered one by one.

    Whoever looks on at Django's cursors sees each when it is answered. If that is broken off, the
    session is closed: nobody could tell what was not heard from what is asked next.
    """

    def __init__(self, connection: BaseDatabaseWrapper, *questions: Question) -> None:
        self._connection = connection
        self._session = connection.connection
        self._pgconn = self._session.pgconn
        self._unasked = list(questions)
        self._unanswered = list(questions)
        self._arrivals = select.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *exc_info: object) -> None:
        try:
            if not error or issubclass(error, Error):  # which the server said, and nothing else
                self._hear_out()
        finally:
            self._leave()

    def ask(self) -> PGresult | None:
        """The answer to the first question; None if the server refused.

        Raises if it was cut short: whoever saw to that does not want it to be asked again.
        """
        cursor = _Asking(self, self._session)
        self._ask(cursor)
        return cursor.answer

    def insist(self) -> PGresult:
        """The answer to the next question; raises what the server says if it refused."""
        cursor = _Insisting(self, self._session)
        self._ask(cursor)
        return cursor.answer

    def _leave(self) -> None:
        is_used = self._pgconn.pipeline_status != PipelineStatus.OFF
        if not is_used or self._pgconn.status != ConnStatus.OK:
            return
        if self._unanswered:
            self._connection.close()
        else:
            self._pgconn.exit_pipeline_mode()
            self._pass_notifications_on()

    def _hear_out(self) -> None:
        """Hear what nobody waited for, whatever it is."""
        with suppress(psycopg.Error):
            while self._unanswered and not self._unasked:
                self.answer()

    def _pass_notifications_on(self) -> None:
        """As the driver does with what came along: a project's session may listen."""
        while note := self._pgconn.notifies():
            if self._pgconn.notify_handler:
                self._pgconn.notify_handler(note)

    def _ask(self, cursor: psycopg.Cursor[Any]) -> None:
        question = self._unanswered[0]
        with self._connection.make_cursor(cursor) as shown:  # type: ignore[arg-type] # in stubs
            shown.execute(question.sql, question.shown)

    def answer(self) -> PGresult:
        """What the server says to the next question, be it that it refuses."""
        self._send()
        answer = self._next_answer()
        self._unanswered.pop(0)
        if answer.status not in DONE and not _is_cut_short(answer) and not _is_of_this_time(answer):
            prepared.use_no_more(self._session)
        return answer

    def _send(self) -> None:
        if not self._unasked:
            return
        self._arrivals.register(self._session.fileno(), select.POLLIN)
        self._pgconn.enter_pipeline_mode()
        while self._unasked:
            question = self._unasked.pop(0)
            name = question.name.encode()
            if prepared.is_new(self._session, question.name):
                self._pgconn.send_prepare(name, question.statement.encode())
            values = [value if value is None else value.encode() for value in question.values]
            self._pgconn.send_query_prepared(name, values)
            self._pgconn.pipeline_sync()
        while self._pgconn.flush():  # it is more than the network takes at once
            self._arrivals.modify(self._session.fileno(), select.POLLIN | select.POLLOUT)
            self._hear()
        self._arrivals.modify(self._session.fileno(), select.POLLIN)

    def _next_answer(self) -> PGresult:
        """Of what comes until the end of a transaction, the last, or what went wrong first."""
        answer: PGresult | None = None
        while (result := self._next_result(answer)) is None or result.status != PIPELINE_SYNC:
            if result is None and self._pgconn.status != ConnStatus.OK:
                raise lost(self._pgconn, answer)
            if result is not None and (answer is None or answer.status in DONE):
                answer = result
        if answer is None:
            raise psycopg.OperationalError("the server did not answer")
        return answer

    def _next_result(self, said: PGresult | None) -> PGresult | None:
        try:
            while self._pgconn.is_busy():
                self._hear()
        except psycopg.OperationalError:  # the server may have said why before it left
            for word in (said, self._pgconn.get_result()):
                if word and word.error_field(DiagnosticField.SQLSTATE):
                    raise error_from_result(word) from None
            raise
        result: PGresult | None = self._pgconn.get_result()
        return result

    def _hear(self) -> None:
        self._arrivals.poll()
        self._pgconn.consume_input()


def lost(pgconn: Any, answer: PGresult | None) -> psycopg.Error:
    """How the driver would say that a session is gone."""
    if answer is not None and answer.error_field(DiagnosticField.SQLSTATE):
        return error_from_result(answer)
    return psycopg.OperationalError(pgconn.get_error_message())


def _is_cut_short(answer: PGresult) -> bool:
    return answer.error_field(DiagnosticField.SQLSTATE) in CUT_SHORT


def _is_of_this_time(answer: PGresult) -> bool:
    """Whether the server keeps the statement, and refuses what was to be done with it now."""
    return (answer.error_field(DiagnosticField.SQLSTATE) or b"").startswith(OF_THIS_TIME)


class _Asking(psycopg.ClientCursor[Any]):
    """What Django and others take for the cursor that asks."""

    def __init__(self, pipeline: Pipeline, session: Any) -> None:
        super().__init__(session)
        self._pipeline = pipeline
        self.answer: PGresult | None = None

    def execute(self, *args: Any, **kwargs: Any) -> Self:
        answer = self._pipeline.answer()
        if answer.status in DONE:
            self.answer = answer
        elif _is_cut_short(answer):
            raise error_from_result(answer)
        return self


class _Insisting(psycopg.ClientCursor[Any]):
    answer: PGresult

    def __init__(self, pipeline: Pipeline, session: Any) -> None:
        super().__init__(session)
        self._pipeline = pipeline

    def execute(self, *args: Any, **kwargs: Any) -> Self:
        self.answer = self._pipeline.answer()
        if self.answer.status not in DONE:
            if _is_cut_short(self.answer):  # perhaps before it was kept
                prepared.use_no_more(self.connection)
            raise error_from_result(self.answer)
        return self
