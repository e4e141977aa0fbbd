"""Elects the one process that runs the services; the lease passes on by itself when it dies."""

from datetime import datetime, timedelta
from typing import Final

from forge_jobs.conf import conf
from forge_jobs.models import Lease, Process
from forge_jobs.models.lease import SERVICES
from forge_jobs.services.base import Service
from forge_jobs.signals import leadership_changed
from forge_jobs.wake import local

RENEWALS_A_LIFE: Final = 3


class Leader(Service):
    """Takes the lease or renews it; `leads` tells whether this process holds it.

    Only economy depends on it: should two processes lead for a moment, each of their writes is
    guarded, so that no harm is done.
    """

    def __init__(self, process: Process) -> None:
        self.process = process
        self.leads = False
        self._others_until: datetime | None = None
        self.life = conf().lease
        self.interval = self.life / RENEWALS_A_LIFE

    def run_once(self, *, now: datetime) -> int:
        led = self.leads
        process, life, leases = self.process, self.life, Lease.objects
        if not led or not leases.renew(SERVICES, process=process, now=now, life=life):
            self._others_until = leases.others_until(SERVICES, process=process, now=now, life=life)
            self.leads = self._others_until is None and leases.take(
                SERVICES, process=process, now=now, life=life
            )
        if self.leads != led:
            local.ring(local.DUE)
            leadership_changed.send_robust(type(self), leads=self.leads)
        return int(self.leads)

    def rest(self, *, now: datetime) -> timedelta:
        """Until the next renewal; for a follower, at most until the lease runs out."""
        if self.leads:
            return self.interval
        expiry = self._others_until
        return min(self.interval, expiry - now) if expiry else timedelta(0)

    def resign(self, *, now: datetime) -> None:
        """Hand the lease on."""
        if self.leads:
            Lease.objects.hand_on(SERVICES, process=self.process, now=now)
            self.leads = False
            leadership_changed.send_robust(type(self), leads=False)
