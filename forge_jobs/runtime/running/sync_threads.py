"""The threads in which coroutines make their synchronous calls: those of the ORM, above all."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Final, TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs.runtime import sessions
from forge_jobs.runtime.keeper import this_thread
from forge_jobs.runtime.running.striking import Reach, is_importing
from forge_jobs.runtime.thread import HandlersThread

R = TypeVar("R")


class CallLost(Exception):
    """A job's transaction was in a thread that had to be given up for the sake of another job."""


class Call:
    """One call of one job, and what it comes to."""

    def __init__(self, seat: Seat, function: Callable[[], Any]) -> None:
        self.seat = seat
        self.function = function
        self.future: Future[Any] = Future()

    def make(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            returned = self.call()
        except StopIteration as error:  # which no future takes: whoever awaits would do so for ever
            self.future.set_exception(RuntimeError(f"The call raised {error!r}."))
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(returned)

    def call(self) -> Any:
        return self.function()

    def strike(self, exception: type[BaseException], *, begun_before: float) -> None:
        """Nothing is raised in what is not the handler's."""


class HandlersCall(Call):
    """One in whose middle its job can be killed."""

    _reach: Reach | None = None
    began_at = 0.0

    def call(self) -> Any:
        self.began_at = time.monotonic()
        self._reach = Reach()  # of this thread
        with self._reach:
            return self.function()

    def strike(self, exception: type[BaseException], *, begun_before: float) -> None:
        """Not in what begins later: that tidies up."""
        if self._reach and self.began_at < begun_before:
            self._reach.strike(exception)


class Seat(Executor):
    """A job's place at one of the threads, from its first call to its end.

    asgiref sends here what it would send to the thread that all coroutines share otherwise.
    """

    def __init__(self, threads: SyncThreads) -> None:
        self._threads = threads
        self.thread: SyncThread | None = None
        self.parked: list[BaseDatabaseWrapper] = []
        """Of its connections, those in a transaction, while others use the thread."""
        self.is_left = False

    def submit(self, function: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """A call of the handler's."""
        if self.is_left:
            raise RuntimeError("The job whose code this is has ended.")
        return self._sent(HandlersCall(self, partial(function, *args, **kwargs)))

    def send(self, function: Callable[[], R]) -> Future[R]:
        """A call of ours for the job."""
        return self._sent(Call(self, function))

    def strike(self, exception: type[BaseException], *, begun_before: float) -> None:
        """Raise an exception in the call of the handler's that is being made, if one is."""
        if call := self.current_call:
            call.strike(exception, begun_before=begun_before)

    @property
    def current_call(self) -> Call | None:
        call = self.thread.current if self.thread else None
        return call if call and call.seat is self else None

    def leave(self) -> None:
        """The job has ended, and its sessions are for others."""
        self.is_left = True
        if self.thread:
            self._threads.send(Call(self, self.clear))

    def clear(self) -> None:
        """Called in the thread, where the sessions of this seat are."""
        sessions.tidy()
        if thread := self.thread:
            thread.served, thread.seats = None, thread.seats - 1

    def _sent(self, call: Call) -> Future[Any]:
        self._threads.send(call)
        return call.future


class SyncThread(HandlersThread):
    """Makes the calls of those that have a seat here, one after the other.

    Whose turn it is finds its own sessions, as it left them, or as good as new if another job has
    used them since. Who is in a transaction keeps that, however long.
    """

    def __init__(self, number: int, *, fail: Callable[[str], None]) -> None:
        super().__init__(f"sync-{number}", fail=fail)
        self.number = number
        self.calls: SimpleQueue[Call | None] = SimpleQueue()
        self.current: Call | None = None
        self.served: Seat | None = None
        self.seats = 0
        self.is_given_up = False

    def work(self) -> None:
        while not self.is_given_up and (call := self.calls.get()):
            self.current = call
            if self.served is not call.seat:
                self._serve(call.seat)
            call.make()
            self.current = call = None

    @property
    def is_importing(self) -> bool:
        return is_importing(self.ident or 0)

    def take_calls(self) -> list[Call]:
        """What was to be done here, if the thread comes back from what it does at all."""
        taken: list[Call] = []
        with suppress(Empty):
            while True:
                if call := self.calls.get_nowait():
                    taken.append(call)
        self.calls.put(None)
        return [call for call in taken if not call.seat.is_left]

    def _serve(self, seat: Seat) -> None:
        if self.served:
            self.served.parked = _park()
            sessions.tidy()
        for connection in seat.parked:
            connections[connection.alias] = connection
            this_thread.has_connected = True
        seat.parked = []
        self.served = seat


def _park() -> list[BaseDatabaseWrapper]:
    open_ones = [one for one in connections.all(initialized_only=True) if one.connection]
    parked = [one for one in open_ones if one.in_atomic_block or not one.autocommit]
    for connection in parked:
        del connections[connection.alias]
    return parked


class SyncThreads:
    """All of them: as many as are needed at once, and at most `size`."""

    def __init__(self, *, size: int, fail: Callable[[str], None]) -> None:
        self._size = size
        self._fail = fail
        self._lock = Lock()
        self.active: Final[list[SyncThread]] = []
        self.given_up: Final[list[SyncThread]] = []

    def send(self, call: Call) -> None:
        seat = call.seat
        with self._lock:
            if seat.thread and seat.thread.is_given_up:
                seat.thread = None
                if lost := seat.parked:
                    seat.parked = []
                    call.future.set_exception(
                        CallLost(f"The transaction in {lost[0].alias!r} is gone with its thread.")
                    )
                    return
            if seat.thread is None:
                seat.thread = self._least_busy()
                seat.thread.seats += 1
            seat.thread.calls.put(call)

    def give_up(self, seat: Seat) -> SyncThread | None:
        """Leave the thread to the call of a seat that it is in, if it is; others go elsewhere."""
        with self._lock:
            thread = seat.thread
            if not thread or not seat.current_call or thread.is_given_up:
                return None
            thread.is_given_up = True
            self.active.remove(thread)
            self.given_up.append(thread)
        for call in thread.take_calls():
            self.send(call)
        return thread

    def end(self) -> None:
        """Let them end after the calls that they have."""
        with self._lock:
            for thread in self.active:
                thread.calls.put(None)

    def _least_busy(self) -> SyncThread:
        idlest = min(self.active, key=lambda thread: thread.seats, default=None)
        if idlest and (not idlest.seats or len(self.active) >= self._size):
            return idlest
        number = len(self.active) + len(self.given_up) + 1
        thread = SyncThread(number, fail=self._fail)
        self.active.append(thread)
        thread.start()
        return thread
