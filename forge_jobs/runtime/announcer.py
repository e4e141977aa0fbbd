"""Tells what has become durable: to this process, to whoever listens, and to other processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet

from django.db import Error

from forge_jobs import db, wake
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.fetcher import Fetcher
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.metering.recorder import Recorder
from forge_jobs.runtime.settlements import Finished
from forge_jobs.signals import claim_lost, database_trouble, job_failed, job_finished
from forge_jobs.states import State


class Announcer:
    """Called after each commit, by the thread that made it."""

    def __init__(
        self, *, claims: Claims, fetcher: Fetcher, steering: Steering, recorder: Recorder
    ) -> None:
        self._claims = claims
        self._fetcher = fetcher
        self._steering = steering
        self._recorder = recorder
        self.died = 0

    def announce(
        self, group: list[Finished], held: AbstractSet[int], promoted: Counter[tuple[str, str]]
    ) -> None:
        """Tell of the runs whose claim was `held`, and of those that had lost theirs.

        Of what was `promoted` nobody has been told; what could be is taken out.
        """
        somebody_listens = job_finished.has_listeners()
        for finished in group:
            self._claims.drop(finished.job)
            self._fetcher.is_settled(finished.job)
            if finished.job.id not in held:
                claim_lost.send_robust(type(self), job=finished.for_others().job)
                continue
            if finished.transition.state is State.DEAD:
                self.died += 1
            if somebody_listens:
                job_finished.send_robust(type(self), finished=finished.for_others())
            if finished.transition.error:
                job_failed.send_robust(type(self), finished=finished.for_others())
        self._recorder.record(group, held)
        try:
            self._wake(group, promoted)
        except Error as error:  # polling finds them
            database_trouble.send_robust(
                type(self), error=error, doing="waking others", retry_in=None
            )
            db.connection().close()

    def _wake(self, group: list[Finished], promoted: Counter[tuple[str, str]]) -> None:
        succeeded = {done.job.queue for done in group if done.transition.state is State.SUCCEEDED}
        given_back = {done.job.queue for done in group if done.transition.state is State.READY}
        for queue in given_back:
            wake.send(queue)
        while promoted:
            (queue, kind), jobs = promoted.popitem()
            self._fetcher.see_to(queue, kind, jobs=jobs)
        self._steering.calm(succeeded)
