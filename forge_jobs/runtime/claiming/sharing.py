"""Holds this process's shares of limited queues, and says what it could use of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from forge_jobs import clock, wake
from forge_jobs.conf import conf
from forge_jobs.models import Process, Share
from forge_jobs.models.shares import Stake, fair_shares
from forge_jobs.runtime.claiming.apart import Apart
from forge_jobs.runtime.claiming.buffer import Buffer
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.services.base import Service
from forge_jobs.wake.local import Bell

if TYPE_CHECKING:
    from forge_jobs.runtime.running.run import Run

CAUTION: Final = 0.1
"""So much of the time after which others take us for lost we don't rely on."""

HASTE: Final = timedelta(seconds=0.05)
IDLE: Final = timedelta(seconds=1)
HASTE_SECONDS: Final = 1.0
"""How long to look often for slots that are to change hands: they may belong to long jobs."""

Stakes = Mapping[int, Stake]


class Sharing(Service):
    """Within its share a process claims and begins jobs as if there were no limit.

    A share shrinks at once, by what runs when that has ended; it grows into what nobody holds. So
    what all hold together is never more than the limit, whoever changes what at the same time.
    """

    interval = timedelta(seconds=0.5)
    is_urgent = True

    def __init__(
        self,
        process: Process,
        *,
        threads: int,
        apart: Apart,
        doors: dict[str, Door],
        steering: Steering,
        buffer: Buffer,
        bell: Bell,
        runs: Callable[[], Iterable[Run]],
        lifecycle: Lifecycle,
        writing: AbstractContextManager[object],
    ) -> None:
        self._process = process
        self._threads = threads
        self._apart = apart
        self._doors = doors
        self._steering = steering
        self._buffer = buffer
        self._bell = bell
        self._runs = runs
        self._lifecycle = lifecycle
        self._writing = writing
        self._until = 0.0
        self._owed: dict[str, tuple[int, int]] = {}
        """Of each queue, how many slots we should have, and have; if that is not the same."""
        self._owed_since = 0.0

    def run_once(self, *, now: datetime) -> int:
        before, self._owed = self._owed, {}
        changed = self._see_to_all(now=now)
        if self._owed != before:
            self._owed_since = time.monotonic()
        return changed

    def rest(self, *, now: datetime) -> timedelta:
        """Short for a while when slots are to change hands; longer where nothing is limited."""
        if not self._doors:
            return IDLE
        is_hasty = self._owed and time.monotonic() - self._owed_since < HASTE_SECONDS
        return HASTE if is_hasty else self.interval

    def _see_to_all(self, *, now: datetime) -> int:
        limits = self._steering.limits()
        changed = sum(self._lift(queue) for queue in self._doors.keys() - limits.keys())
        if not limits:
            return changed
        self._rely_on_beats()
        stakes = Share.objects.stakes(limits)
        for queue, limit in limits.items():
            door = self._doors.get(queue) or self._open(queue)
            changed += self._attend(door, stakes[queue], limit=limit, now=now)
        return changed

    def _rely_on_beats(self) -> None:
        """A process that was lost holds nothing: others may have its slots by now."""
        at = time.monotonic()
        said = Process.objects.filter(pk=self._process.pk).values_list("heartbeat_at", flat=True)
        beat = said.first()
        relied_on = conf().process_timeout * (1 - CAUTION)
        self._until = at + (beat + relied_on - clock.now()).total_seconds() if beat else at

    def _open(self, queue: str) -> Door:
        """Let what is under way count; what is claimed and has not begun goes back."""
        door = Door(queue, bell=self._bell, forward=self._buffer.forward)
        self._doors[queue] = door
        for run in self._runs():
            if run.job.queue == queue and not run.has_ended:
                door.adopt(run.job)
                if run.has_ended:  # perhaps before it was adopted
                    door.leave(run.job, seconds=0.0)
        return door

    def _lift(self, queue: str) -> int:
        self._doors.pop(queue).lift()
        with self._writing:
            return Share.objects.give_up(queue, process=self._process)

    def _attend(self, door: Door, stakes: Mapping[int, Stake], *, limit: int, now: datetime) -> int:
        claims = not (self._lifecycle.is_quiet or self._lifecycle.is_stopping)
        needs_no_thread = bool(self._apart.kinds) and door.holds(self._apart.kinds)
        places = self._process.threads if needs_no_thread else self._threads
        wanted = door.wanted(threads=places)
        before = stakes.get(self._process.pk)
        if before is None:
            return self._settle(door, wanted, claims=claims, now=now)
        mine = before._replace(wanted=wanted, claims=claims)
        fair = fair_shares(limit, [*_others(mine, stakes), mine], now=now)[mine.process]
        free = limit - sum(stake.slots for stake in stakes.values())
        kept = min(fair, mine.slots) if free >= 0 else 0
        used = door.limit_to(kept)
        door.hold(until=self._until)
        may_grow = (
            fair > mine.slots and free > 0 and Share.objects.all_are_known(door.queue, stakes)
        )
        may_shrink = max(kept, used) < mine.slots
        self._owe(door, fair, mine.slots)
        if may_grow or may_shrink or _is_news(mine, before, stakes):
            return self._settle(door, wanted, claims=claims, now=now)
        return 0

    def _settle(self, door: Door, wanted: int, *, claims: bool, now: datetime) -> int:
        with self._writing:
            terms = Share.objects.settle(
                door.queue,
                process=self._process,
                wanted=wanted,
                claims=claims,
                limit_to=door.limit_to,
                now=now,
            )
        if terms is None:
            self._owe(door, wanted, -1)  # somebody has it locked for a moment
            return 0
        door.limit_to(terms.allowed)
        door.hold(until=self._until)
        self._owe(door, terms.fair, terms.slots)
        wake.send_elsewhere(wake.STOP)
        return 1

    def _owe(self, door: Door, fair: int, slots: int) -> None:
        self._owed.pop(door.queue, None)
        if fair != slots:
            self._owed[door.queue] = fair, slots


def _others(mine: Stake, stakes: Stakes) -> list[Stake]:
    return [stake for stake in stakes.values() if stake.process != mine.process]


def _is_news(mine: Stake, before: Stake, stakes: Stakes) -> bool:
    """Whether others should know what we could use: only if somebody goes short."""
    if mine.is_hungry != before.is_hungry:
        return True
    somebody_goes_short = any(stake.is_hungry for stake in _others(mine, stakes))
    return somebody_goes_short and mine.wanted != before.wanted
