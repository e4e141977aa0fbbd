"""Carries out what somebody asked of this process: be quiet, claim again, stop."""

from __future__ import annotations

from datetime import datetime, timedelta

from forge_jobs.models import Process, ProcessState
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.services.base import Service


class Orders(Service):
    """Each is obeyed once: a second request to stop would break off what runs."""

    interval = timedelta(seconds=0.5)

    def __init__(self, process: Process, lifecycle: Lifecycle) -> None:
        self._process = process
        self._lifecycle = lifecycle
        self._obeyed = ""

    def is_new(self, order: str | None) -> bool:
        return order not in (None, "", self._obeyed)

    def run_once(self, *, now: datetime) -> int:
        row = Process.objects.filter(pk=self._process.pk)
        asked = row.values_list("requested_state", "requested_by").first()
        if asked is None or not self.is_new(asked[0]):
            return 0
        self._obeyed, by = asked
        row.update(state=self.obey(ProcessState(self._obeyed), by=by))  # before the next beat tells
        return 1

    def obey(self, order: ProcessState, *, by: str) -> ProcessState:
        """Returns what becomes of this process: one that retires stays quiet."""
        match order:
            case ProcessState.QUIET:
                self._lifecycle.be_quiet()
            case ProcessState.RUNNING:
                self._lifecycle.claim_again()
            case ProcessState.STOPPING:
                self._lifecycle.request_stop(f"asked to by {by or 'somebody'}")
                return order
        return self._lifecycle.state
