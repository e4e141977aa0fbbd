"""What the engine's threads share: none of them ends unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event, Thread

from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import db
from forge_jobs.runtime import sessions
from forge_jobs.runtime.outage import Stopped
from forge_jobs.signals import thread_failed


class EngineThread(Thread):
    """Does `work()`; should that fail in a way that nobody foresaw, the whole process stops.

    Half a process would look alive and leave its jobs lying. `fail(reason)` is told.
    """

    def __init__(
        self, name: str, *, fail: Callable[[str], None], stopping: Event | None = None
    ) -> None:
        super().__init__(name=f"forge_jobs-{name}", daemon=True)
        self.stopping = stopping or Event()
        self._fail = fail
        self._connection: BaseDatabaseWrapper | None = None

    def work(self) -> None:
        raise NotImplementedError

    def session_limits(self) -> Mapping[str, str]:
        """What its sessions with the job database are to keep to."""
        return db.twin().LIMITS

    def stop(self) -> None:
        self.stopping.set()

    def interrupt(self) -> None:
        """Break off the statement that this thread waits for, if it does."""
        if (wrapper := self._connection) and (session := wrapper.connection):
            db.twin().interrupt(session)

    def run(self) -> None:
        sessions.limit(**self.session_limits())
        self._connection = db.connection()
        try:
            self.work()
        except Stopped:
            pass
        except BaseException as error:
            self._fail(f"{self.name} failed")
            thread_failed.send_robust(type(self), thread=self.name, error=error)
        finally:
            sessions.rest()  # whoever ends later may need one
            sessions.close_all()


class HandlersThread(EngineThread):
    """One in which handlers run, or what they ask for."""

    def session_limits(self) -> Mapping[str, str]:
        """None: a handler takes its time, and room."""
        return {}
