"""Writes outcomes in groups: whatever arrived during one commit shares the next."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager, suppress
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final

from django.db import Error

from forge_jobs import clock, db
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Process
from forge_jobs.models.following import Following
from forge_jobs.runtime import sessions
from forge_jobs.runtime.announcer import Announcer
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.fetcher import Fetcher
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.runtime.outcome_store import OutcomeStore
from forge_jobs.runtime.registration import sign_off
from forge_jobs.runtime.settlements import Finished, Settlements
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.services.followers import Followers
from forge_jobs.services.leader import Leader
from forge_jobs.signals import database_trouble
from forge_jobs.states import TERMINAL

TURN_SECONDS: Final = 0.5
FOLLOW_SECONDS: Final = 0.05
GATHER_SECONDS: Final = 0.01
MOST_WAITS: Final = 3
ENOUGH: Final = 64
LARGEST_GROUP: Final = 1_000
LARGEST_GROUP_CHARACTERS: Final = 8 * 1024 * 1024


class Group:
    """Outcomes that share a commit, out of the inbox in which they arrive."""

    def __init__(self, inbox: SimpleQueue[Finished | list[Finished] | None]) -> None:
        self._inbox = inbox
        self._size = 0
        self.outcomes: list[Finished] = []
        self.is_last = False
        """Whether none will follow."""

    @property
    def is_full(self) -> bool:
        return len(self.outcomes) >= LARGEST_GROUP or self._size >= LARGEST_GROUP_CHARACTERS

    @property
    def is_enough(self) -> bool:
        return self.is_last or self.is_full or len(self.outcomes) >= ENOUGH

    def take(self) -> None:
        """Add what has arrived, as far as there is room for it."""
        with suppress(Empty):
            while not (self.is_last or self.is_full):
                self.add(self._inbox.get_nowait())

    def add(self, arrived: Finished | list[Finished] | None) -> None:
        if arrived is None:
            self.is_last = True
        elif isinstance(arrived, list):
            self.outcomes += arrived
            self._size += sum(finished.size for finished in arrived)
        else:
            self.outcomes.append(arrived)
            self._size += arrived.size


class Finalizer(EngineThread):
    """Nothing to tune: idle, an outcome is durable in one commit, at once; busy, many are.

    Each commit takes the interpreter from handlers, and on SQLite their turn to write. So outcomes
    that come one soon after the other wait a moment for more, unless somebody waits for them. For
    concurrency keys somebody may, and so they wait no longer than the last commit was late, beside
    the quickest: where it is, much is going on, and keys that share one are passed on sooner.
    """

    def __init__(
        self,
        process: Process,
        *,
        settlements: Settlements,
        store: OutcomeStore,
        announcer: Announcer,
        followers: Followers,
        claims: Claims,
        fetcher: Fetcher,
        leader: Leader,
        lifecycle: Lifecycle,
        writing: AbstractContextManager[object],
        giving_up: Event,
    ) -> None:
        super().__init__("finalizer", fail=lifecycle.fail)
        self._process = process
        self._settlements = settlements
        self._store = store
        self._announcer = announcer
        self._followers = followers
        self._claims = claims
        self._fetcher = fetcher
        self._leader = leader
        self._following = Following()
        self._followed_at = self._written_at = self._delay = 0.0
        self._quickest = math.inf
        self._lifecycle = lifecycle
        self._writing = writing
        self.giving_up = giving_up
        self.busy_since: float | None = None

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
            if sign_off(self._process):
                return
            self._claims.release_unheld()
            if not sign_off(self._process):
                self._lifecycle.fail("jobs could not be given back")

    def stop(self) -> None:
        """End after the outcomes that have arrived."""
        self._settlements.end()

    def next_group(self) -> list[Finished]:
        """Wait for an outcome, and take all others that are there; empty at the end."""
        group = Group(self._settlements.inbox)
        group.add(first := self._settlements.next())
        group.take()
        is_one_of_many = time.monotonic() - self._written_at < GATHER_SECONDS
        if is_one_of_many and isinstance(first, Finished):
            self._gather(group)
        if group.is_last and group.outcomes:
            self._settlements.end()
        return group.outcomes

    def _gather(self, group: Group) -> None:
        """Wait for more for a while, unless somebody waits for one of them."""
        looked_at = 0
        for _ in range(MOST_WAITS):
            newest = group.outcomes[min(looked_at, len(group.outcomes) - 1) :]
            looked_at = len(group.outcomes)
            if group.is_enough or any(self._is_awaited(finished.job) for finished in newest):
                break
            time.sleep(GATHER_SECONDS)
            group.take()
        if self._may_let_keys_wait(group):
            time.sleep(min(GATHER_SECONDS, self._delay))
            group.take()

    def _may_let_keys_wait(self, group: Group) -> bool:
        """Whether it has some of few, and others with keys that are claimed here may join them."""
        keys = sum(bool(finished.job.concurrency_key) for finished in group.outcomes)
        return keys > 0 and not group.is_enough and self._claims.have_more_keys_than(keys)

    def _is_awaited(self, job: ClaimedJob) -> bool:
        """Whether its end may let others begin, or workers have nothing else to do."""
        return bool(job.concurrency_key) or not self._fetcher.keeps_workers_busy_without(job)

    def finalize(self, group: list[Finished]) -> None:
        self._store.cool_down(group)
        began = time.monotonic()
        try:
            group, held = self._store.write(group)
        except Stopped:
            raise
        except Exception as error:  # nothing of one job's may keep the others from being written
            if len(group) > 1:
                for finished in group:
                    self.finalize([finished])
                return
            group, held = self._store.write([self._settlements.unstorable(group[0], error)])
        self._written_at = time.monotonic()
        took = self._written_at - began
        self._quickest = min(self._quickest, took)
        self._delay = took - self._quickest
        self._announcer.announce(group, held, self._store.promoted)
        if self._followers.are_there:
            self._following.add(
                done.job.id
                for done in group
                if done.job.id in held and done.transition.state in TERMINAL
            )

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
