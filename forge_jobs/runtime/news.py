"""Asks for all parts of a process at once whether anything has changed by which they go."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

from forge_jobs import db
from forge_jobs.db.signs import Signs
from forge_jobs.models import Process
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.orders import Orders
from forge_jobs.services.base import Service
from forge_jobs.services.followers import Followers
from forge_jobs.services.horizon import Horizon
from forge_jobs.services.leader import Leader
from forge_jobs.wake import local

INTERVAL: Final = timedelta(seconds=1)
DEAF_INTERVAL: Final = timedelta(seconds=0.5)
"""Where nothing but this look tells of what people ask."""

HEARING_FACTOR: Final = 2
"""Where notifications arrive, all but the leader look so much less often: few get lost."""

NONE: Final = Signs(order=None, queues=None, ready=[], has_followers=True, horizon=None)


class News(Service):
    """Orders, the rows of queues, jobs that are ready though nobody was told, and whether anything
    comes after jobs; where this process leads, also what will be due.

    On PostgreSQL that is one statement; on SQLite none, as long as nobody has committed.
    """

    interval = INTERVAL
    is_urgent = True

    def __init__(
        self,
        process: Process,
        *,
        queues: Collection[str],
        steering: Steering,
        orders: Orders,
        followers: Followers,
        horizon: Horizon,
        leader: Leader,
        hears: Callable[[], bool],
        poll_interval: timedelta,
    ) -> None:
        self._process = process
        self._queues = frozenset(queues)
        self._steering = steering
        self._orders = orders
        self._followers = followers
        self._horizon = horizon
        self._leader = leader
        self._hears = hears
        self._poll_interval = poll_interval
        self._polled_at = time.monotonic()
        self._looked: tuple[object, bool] = (None, False)
        """At which commits, and whether as the leader."""
        self._signs = NONE

    def run_once(self, *, now: datetime) -> int:
        leads = self._leader.leads
        with db.connection().cursor() as cursor:
            commits = db.twin().commits(cursor)
            if (commits, leads) == self._looked:
                signs = self._signs
            else:
                signs = db.twin().signs(cursor, process=self._process.pk, leads=leads)
        self._followers.are_there = signs.has_followers
        if signs.horizon:
            self._horizon.tell(signs.horizon)
        changed = self._heed(signs, now=now)
        if signs.queues != self._signs.queues and self._are_outdated(commits):
            commits, signs = None, signs._replace(queues=None)
        self._looked, self._signs = (commits, leads), signs
        return changed + self._poll(signs)

    def rest(self, *, now: datetime) -> timedelta:
        if not self._hears():
            return min(DEAF_INTERVAL, self._poll_interval)
        shortest = min(INTERVAL, self._poll_interval)
        return shortest if self._leader.leads else HEARING_FACTOR * shortest

    def _are_outdated(self, commits: object) -> bool:
        """Whether rows may be newer than their signs: changed back, they would look unchanged."""
        with db.connection().cursor() as cursor:
            return db.twin().may_be_outdated(cursor, commits)

    def _heed(self, signs: Signs, *, now: datetime) -> int:
        if signs.queues == self._signs.queues:
            changed = self._steering.pass_time(now=now)
        else:
            changed = self._steering.run_once(now=now)
        if self._orders.is_new(signs.order):
            changed += self._orders.run_once(now=now)
        return changed

    def _poll(self, signs: Signs) -> int:
        """Wake the fetcher for what waits, whoever forgot to; returns for how many queues."""
        moment = time.monotonic()
        if moment - self._polled_at < self._poll_interval.total_seconds():
            return 0
        self._polled_at = moment
        waiting = self._queues.intersection(signs.ready)
        for queue in waiting:
            local.ring(queue)
        return len(waiting)
