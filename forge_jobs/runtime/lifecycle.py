"""What a process was asked to do, and what has become of it."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from forge_jobs.states import ProcessState

TICK_SECONDS: Final = 0.1


class Lifecycle:
    """Read by all parts of the process; its verbs may be called by any of their threads."""

    def __init__(self) -> None:
        # A signal handler may put into a SimpleQueue at any moment; an Event could deadlock.
        self.stop_requests: SimpleQueue[str] = SimpleQueue()
        self._rests = False
        self.is_stopping = False
        self.is_signed_off = False
        self.is_quiet = False
        self.retiring = ""
        """Why it makes way for another; empty if it does not."""
        self.failure = ""
        """Why the process could not stop in order, or had to stop; empty if all is well."""

    @property
    def state(self) -> ProcessState:
        if self.is_stopping:
            return ProcessState.STOPPING
        return ProcessState.QUIET if self.is_quiet else ProcessState.RUNNING

    def request_stop(self, reason: str) -> None:
        """Stop in order; asked again, at once. Safe to call from a signal handler."""
        self.stop_requests.put(reason)

    def await_stop(self, *, within: float) -> str:
        """The reason of a request to stop that comes in so many seconds; empty if none does."""
        try:
            return self.stop_requests.get(timeout=within) if within else ""
        except Empty:
            return ""

    def is_asked_to_stop(self) -> bool:
        """Whether a request to stop has come that nobody has taken."""
        try:
            return bool(self.stop_requests.get_nowait())
        except Empty:
            return False

    def await_stop_or_work(self, *, within: float, is_at_work: Callable[[], bool]) -> str:
        """The same, but at work for no longer than a tick, and else until it is to `look_up()`."""
        self._rests = True  # first: whoever begins to work after this look sees it
        if is_at_work():
            self._rests, within = False, TICK_SECONDS
        reason = self.await_stop(within=within)
        self._rests = False
        return reason

    def look_up(self) -> None:
        """There is something to look after, if perhaps nothing was before."""
        if self._rests:
            self._rests = False
            self.stop_requests.put("")

    def be_quiet(self) -> None:
        """Claim nothing more, and finish what runs."""
        self.is_quiet = True

    def claim_again(self) -> None:
        """Be quiet no longer, unless it is to retire."""
        self.is_quiet = bool(self.retiring)

    def retire(self, reason: str) -> None:
        """Be quiet, and stop once everything that runs has ended, however long that takes."""
        self.retiring = self.retiring or reason
        self.be_quiet()
        self.look_up()

    def give_up(self, reason: str) -> None:
        """Retire, because something here can't be mended."""
        self.failure = self.failure or reason
        self.retire(reason)

    def fail(self, reason: str) -> None:
        """Remember what broke, and stop because of it; the first fault stays."""
        if not self.failure and not self.is_stopping:
            self.request_stop(reason)
        self.failure = self.failure or reason
