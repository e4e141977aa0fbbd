"""What a process was asked to do, and what has become of it."""

from __future__ import annotations

from queue import Empty, SimpleQueue

from forge_jobs.states import ProcessState


class Lifecycle:
    """Read by all parts of the process; its verbs may be called by any of their threads."""

    def __init__(self) -> None:
        # A signal handler may put into a SimpleQueue at any moment; an Event could deadlock.
        self.stop_requests: SimpleQueue[str] = SimpleQueue()
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

    def was_stopped_within(self, seconds: float) -> bool:
        """Wait before anything has started, but for no longer than until a stop is requested."""
        try:
            return bool(self.stop_requests.get(timeout=seconds)) if seconds else False
        except Empty:
            return False

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

    def give_up(self, reason: str) -> None:
        """Retire, because something here can't be mended."""
        self.failure = self.failure or reason
        self.retire(reason)

    def fail(self, reason: str) -> None:
        """Remember what broke, and stop because of it; the first fault stays."""
        if not self.failure and not self.is_stopping:
            self.request_stop(reason)
        self.failure = self.failure or reason
