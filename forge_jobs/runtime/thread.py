"""What the engine's threads share: none of them ends unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import ClassVar

from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import db
from forge_jobs.runtime import sessions
from forge_jobs.runtime.outage import Stopped
from forge_jobs.signals import thread_failed


class EngineThread(Thread):
    """Does `work()`; should that fail in a way that nobody foresaw, the whole process stops.

    Half a process would look alive and leave its jobs lying. `fail(reason)` is told.
    """

    session_limits: ClassVar[dict[str, str]] = {
        "idle_in_transaction_session_timeout": "10s",
        "lock_timeout": "10s",
        "enable_seqscan": "off",
        "jit": "off",
    }
    """Of its session with PostgreSQL: its locks must not outlive a host that has vanished, and
    others' are waited for in such a way that it can be told of.

    An index that was large once is dear to the planner even if it is empty: for each claim it would
    rather read the whole table. What it is not to do it does where there is no other way, but
    takes it to be so dear that it would compile the statement."""

    def __init__(
        self, name: str, *, fail: Callable[[str], None], stopping: Event | None = None
    ) -> None:
        super().__init__(name=f"forge_jobs-{name}", daemon=True)
        self.stopping = stopping or Event()
        self._fail = fail
        self._connection: BaseDatabaseWrapper | None = None

    def work(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self.stopping.set()

    def interrupt(self) -> None:
        """Break off the statement that this thread waits for, if it does."""
        if (wrapper := self._connection) and (session := wrapper.connection):
            db.twin().interrupt(session)

    def run(self) -> None:
        sessions.limit(**self.session_limits)
        self._connection = db.connection()
        try:
            self.work()
        except Stopped:
            pass
        except BaseException as error:
            self._fail(f"{self.name} failed")
            thread_failed.send_robust(type(self), thread=self.name, error=error)
        finally:
            sessions.close_all()
