"""Writes outcomes in groups: whatever arrived during one commit shares the next."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import count
from queue import Empty
from threading import Event
from typing import Final

from django.db import DataError, Error, IntegrityError

from forge_jobs import clock, db, wake
from forge_jobs.db.rows import Promoted, Transition
from forge_jobs.handlers.outcomes import Throttled
from forge_jobs.models import Job, Process
from forge_jobs.models.following import Following
from forge_jobs.runtime import sessions
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.fetcher import Fetcher
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.metering.recorder import Recorder
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.runtime.registration import sign_off
from forge_jobs.runtime.settlements import Finished, Settlements
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.services.followers import Followers
from forge_jobs.services.leader import Leader
from forge_jobs.signals import claim_lost, database_trouble, job_failed, job_finished
from forge_jobs.states import TERMINAL, State

TURN_SECONDS: Final = 0.5
FOLLOW_SECONDS: Final = 0.05
LARGEST_GROUP: Final = 1_000
LARGEST_GROUP_CHARACTERS: Final = 8 * 1024 * 1024


class Finalizer(EngineThread):
    """No timer and no size to tune: idle, an outcome is durable in one commit; busy, many are."""

    def __init__(
        self,
        process: Process,
        *,
        settlements: Settlements,
        claims: Claims,
        fetcher: Fetcher,
        steering: Steering,
        leader: Leader,
        recorder: Recorder,
        followers: Followers,
        lifecycle: Lifecycle,
        writing: AbstractContextManager[object],
    ) -> None:
        super().__init__("finalizer", fail=lifecycle.fail)
        self._process = process
        self._settlements = settlements
        self._claims = claims
        self._fetcher = fetcher
        self._steering = steering
        self._leader = leader
        self._recorder = recorder
        self._followers = followers
        self._following = Following()
        self._followed_at = 0.0
        self._lifecycle = lifecycle
        self._writing = writing
        self.giving_up = Event()
        self.died = 0
        self.busy_since: float | None = None
        self._promoted: Counter[tuple[str, str]] = Counter()
        """How many jobs of a queue and kind have become ready by our doing, and nobody was told."""

    def work(self) -> None:
        sessions.lend_at_rest()
        while group := self.next_group():
            self.busy_since = time.monotonic()
            self.finalize(group)
            self.follow()
            self.busy_since = None
            self._fetcher.some_are_settled()
        ride_out(self.sign_off, doing="signing off", stopping=self.giving_up)

    def sign_off(self) -> None:
        """Give back what is claimed but not held, and forget the process if nothing is left."""
        if self._fetcher.is_alive():  # it may have waited for its turn behind our last write
            self._fetcher.join(TURN_SECONDS)
        if self._fetcher.is_alive():
            self._lifecycle.fail("a claim was still under way")
            return
        self._lifecycle.is_signed_off = True
        with self._writing:
            self._leader.resign(now=clock.now())
            self._claims.release_unheld()
            if not sign_off(self._process):
                self._lifecycle.fail("jobs could not be given back")

    def stop(self) -> None:
        """End after the outcomes that have arrived."""
        self._settlements.end()

    def next_group(self) -> list[Finished]:
        """Wait for an outcome, and take all others that are there; empty at the end."""
        if (first := self._settlements.next()) is None:
            return []
        group, size = [first], first.size
        try:
            while len(group) < LARGEST_GROUP and size < LARGEST_GROUP_CHARACTERS:
                if (finished := self._settlements.inbox.get_nowait()) is None:
                    self._settlements.end()
                    break
                group.append(finished)
                size += finished.size
        except Empty:
            pass
        return group

    def finalize(self, group: list[Finished]) -> None:
        self.cool_down(group)
        try:
            group, held = self.write(group)
        except Stopped:
            raise
        except Exception as error:  # nothing of one job's may keep the others from being written
            if len(group) > 1:
                for finished in group:
                    self.finalize([finished])
                return
            group, held = self.write([self._settlements.unstorable(group[0], error)])
        self.announce(group, held)

    def follow(self) -> None:
        """See to what comes after those that ended; while others end, a little now and then."""
        is_idle = self._settlements.inbox.empty()
        if not is_idle and time.monotonic() - self._followed_at < FOLLOW_SECONDS:
            return
        try:
            while self._following:
                with self._writing:
                    self._following.step(now=clock.now())
                self._followed_at = time.monotonic()
                if not self._settlements.inbox.empty():
                    return
        except Error as error:  # the leader sees to it
            self._following = Following()
            database_trouble.send_robust(
                type(self), error=error, doing="opening gates", retry_in=None
            )
            db.connection().close()

    def cool_down(self, group: list[Finished]) -> None:
        """Throttle the queues of jobs that were told to be patient, before they are due again."""
        longest: dict[str, timedelta] = {}
        for finished in group:
            match finished.outcome:
                case Throttled(scope="queue") as throttled:
                    queue = finished.job.queue
                    asked = max(longest.get(queue, throttled.retry_after), throttled.retry_after)
                    longest[queue] = asked

        def step() -> None:
            with self._writing:
                for queue, retry_after in longest.items():
                    self._steering.throttle(queue, retry_after=retry_after)

        if longest:
            ride_out(step, doing="cooling queues down", stopping=self.giving_up)

    def write(self, group: list[Finished]) -> tuple[list[Finished], AbstractSet[int]]:
        """Store the outcomes, and let those be next who wait for the jobs' keys.

        Returns the group as it was stored, and the ids of those whose claim still held.
        """
        transitions = [finished.transition for finished in group if not finished.is_stored]
        states: dict[int, str] = {
            finished.job.id: finished.transition.state for finished in group if finished.is_stored
        }
        promoting = bool(_freed_keys(group))
        promoted: list[Promoted] = []
        tries = count(1)

        def step() -> tuple[dict[int, str], list[Promoted]]:
            is_repeated = next(tries) > 1
            with self._writing:
                written = self._finalize(transitions, promoting=promoting)
            if is_repeated and len(written[0]) < len(transitions):
                # The write may have succeeded the first time, and only its answer been lost; with
                # it, what was promoted.
                keyed = [finished.job for finished in group if finished.job.concurrency_key]
                self._promoted.update((job.queue, job.kind) for job in keyed)
                return written[0] | Job.objects.carried_out(transitions), written[1]
            return written

        if transitions:
            settled, promoted = ride_out(
                step,
                doing="writing outcomes",
                stopping=self.giving_up,
                unless=(DataError, IntegrityError),
            )
            states |= settled
        group = [
            finished.as_settled(states.get(finished.job.id, finished.transition.state))
            for finished in group
        ]
        self.pass_keys_on(_freed_keys(group), promoted)
        return group, states.keys()

    def _finalize(
        self, transitions: list[Transition], *, promoting: bool
    ) -> tuple[dict[int, str], list[Promoted]]:
        process = self._process
        if promoting:
            return Job.objects.finalize_and_promote(transitions, process=process)
        return Job.objects.finalize(transitions, process=process), []

    def pass_keys_on(self, freed: Counter[str], promoted: list[Promoted]) -> None:
        """See to the keys that were set free, as far as the outcomes' commit has not done it."""
        left = set(freed - Counter(one.key for one in promoted))
        left |= {one.key for one in promoted if one.limit > 1}

        def step() -> list[Promoted]:
            with self._writing:
                return Job.objects.pass_on(left)

        if left:
            promoted = promoted + ride_out(
                step, doing="passing concurrency keys on", stopping=self.giving_up
            )
        self._promoted.update((one.queue, one.kind) for one in promoted)

    def announce(self, group: list[Finished], held: AbstractSet[int]) -> None:
        """Tell what is durable, and which claims had been lost."""
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
        if self._followers.are_there:
            self._following.add(
                done.job.id
                for done in group
                if done.job.id in held and done.transition.state in TERMINAL
            )
        self._recorder.record(group, held)
        succeeded = {done.job.queue for done in group if done.transition.state is State.SUCCEEDED}
        given_back = [done.job.queue for done in group if done.transition.state is State.READY]
        try:
            for queue in set(given_back):
                wake.send(queue)
            while self._promoted:
                (queue, kind), jobs = self._promoted.popitem()
                self._fetcher.see_to(queue, kind, jobs=jobs)
            self._steering.calm(succeeded)
        except Error as error:  # polling finds them
            database_trouble.send_robust(
                type(self), error=error, doing="waking others", retry_in=None
            )
            db.connection().close()


def _freed_keys(group: list[Finished]) -> Counter[str]:
    """Jobs that are given back keep their concurrency keys."""
    return Counter(
        done.job.concurrency_key
        for done in group
        if done.job.concurrency_key and done.transition.state is not State.READY
    )
