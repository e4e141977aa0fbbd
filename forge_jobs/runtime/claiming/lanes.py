"""All queues of a process: which of them may hold work, and who was told."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from threading import Event
from typing import Final

from forge_jobs import wake
from forge_jobs.models import Job
from forge_jobs.runtime.claiming.apart import NOTHING_APART, Apart
from forge_jobs.runtime.claiming.desks import Desks
from forge_jobs.runtime.claiming.few_kinds import (
    ChunkLane,
    LaneOfFewKinds,
    ScarceLane,
    look_into,
    look_near,
)
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lane import CHEAP_SECONDS, Lane, away_after, until_next_look
from forge_jobs.runtime.claiming.resting import LONGEST_AWAY
from forge_jobs.runtime.claiming.rings import ENDED, ENTRUSTED, FREED, NO_SIGN, ROOM, by_sign
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.claiming.together import MOST_TOGETHER
from forge_jobs.runtime.outage import asked, ride_out
from forge_jobs.wake import local

FEW: Final = 4
"""Queues of which each may be claimed from as soon as asked about."""


class Lanes:
    """They learn of work by the fetcher's bell, or by looking."""

    def __init__(
        self,
        queues: Mapping[str, int],
        *,
        kinds: KindLimits,
        desks: Desks,
        steering: Steering,
        apart: Apart = NOTHING_APART,
    ) -> None:
        self._kinds = kinds
        self._steering = steering
        self._are_few = len(queues) <= FEW
        self.looked_at = time.monotonic()
        self._is_to_look = False
        self._next_look_at = 0.0
        """By the monotonic clock; before it, what a look costs is more than it can tell of news."""
        self._looks_far_at = 0.0
        self.were_served_at = -math.inf
        """By the monotonic clock, when none was last known to want a worker."""
        self._lanes: list[Lane] = []
        for lane, those in (Lane, kinds.unlimited), (ScarceLane, kinds.limited):
            for places in None, apart.free:
                among = [kind for kind in those if (kind in apart.kinds) is (places is not None)]
                if among or (lane is Lane and not places and not apart.kinds):
                    self._lanes += [
                        lane(queue, weight=weight, kinds=among, places=places)
                        for queue, weight in queues.items()
                    ]
        self._lanes += [ChunkLane(desk, weight=queues[desk.queue]) for desk in desks]
        self._of_queue: dict[str, list[Lane]] = defaultdict(list)
        for each in self._lanes:
            self._of_queue[each.queue].append(each)

    def in_turn(self) -> Iterator[Sequence[Lane]]:
        """Those that are open, the one first whose turn it is; several if one claim is to do.

        Each is told in how many queues behind those others find jobs, where that is known.
        """
        lanes = sorted(self.open(), key=lambda lane: -(lane.credit + lane.weight))
        left = 0 if self._are_few else sum(lane.is_plain for lane in lanes)
        place = 0
        while place < len(lanes):
            together = [lanes[place]] if self._are_few else self._from(lanes, place, left=left)
            left -= sum(lane.is_plain for lane in together) if left else 0
            for lane in together:
                lane.left_elsewhere = left if lane.is_plain else 0
            place += len(together)
            yield together

    def _from(self, lanes: Sequence[Lane], place: int, *, left: int) -> Sequence[Lane]:
        """The next lane, with those behind it that may be claimed from together with it.

        At most half of those that are left: so for as many jobs of theirs as there are queues in
        the other half, it is not scarce what is claimed ahead of free workers.
        """
        first = lanes[place]
        most = MOST_TOGETHER if first.places else min(MOST_TOGETHER, (left + 1) // 2)
        for end in range(place, min(place + most, len(lanes))):
            lane = lanes[end]
            if lane.places is not first.places or not self._may_go_together(lane):
                return lanes[place : max(end, place + 1)]
        return lanes[place : place + max(1, most)]

    def _may_go_together(self, lane: Lane) -> bool:
        """Not what is on terms of its own, nor what fills a claim alone."""
        return (
            type(lane) is Lane
            and not lane.allowance
            and not lane.entrusted
            and lane.starts_at_front
            and not self._steering.has_terms(lane.queue)
        )

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes)

    def __contains__(self, queue: object) -> bool:
        return queue in self._of_queue

    def open(self) -> list[Lane]:
        """Of queues that may hold work, those that are open and have tokens to spend."""
        now = time.monotonic()
        return [lane for lane in self.with_work() if lane.opens_at <= now]

    def waiting(self) -> list[Lane]:
        """Of the same, those that wait for tokens, a worker, or a slot of their queue's."""
        now = time.monotonic()
        return [lane for lane in self.with_work() if lane.opens_at > now]

    def with_work(self) -> list[Lane]:
        """Those of open queues that may hold work."""
        closed = self._steering.closed
        return [lane for lane in self if lane.may_hold_work and lane.queue not in closed]

    def want_worker(self) -> bool:
        """Whether there may be jobs that one could run at once."""
        return any(lane.wants_worker for lane in self.with_work())

    def await_worker(self) -> bool:
        return any(lane.awaits_worker for lane in self)

    def hear(self, bell: local.Bell, seconds: float) -> bool:
        """Wait for the bell, at most so long; returns whether the lanes have learned anything.

        Where any queue may be meant, and there are many, they are looked at: but not again and
        again, where somebody writes all the time.
        """
        if self._is_to_look:
            seconds = min(seconds, max(0.0, self._next_look_at - time.monotonic()))
        are_served = not self.want_worker()
        rung = bell.wait(seconds)
        self.were_served_at = time.monotonic() if are_served else self.were_served_at
        self._is_to_look |= local.ANY in rung
        if looks := self._is_to_look and time.monotonic() >= self._next_look_at:
            self.look_everywhere()
        self._learn(by_sign(rung))
        return bool(rung) or looks

    def _learn(self, told: Mapping[str, Mapping[str, int]]) -> None:
        for lane in self._of_queues(told[NO_SIGN]):
            lane.hear_of_work()
        for name, jobs in told[ENTRUSTED].items():
            queue, _, kind = name.partition(ENTRUSTED)
            if meant := self._for(queue, kind):
                meant.entrust(jobs)
        for lane in self._of_queues(told[FREED]):
            lane.opens_at = 0.0 if lane.awaits_slot else lane.opens_at
        self._learn_of_room(told[NO_SIGN], kinds=told[ENDED])

    def _learn_of_room(self, rung: Collection[str], *, kinds: Collection[str]) -> None:
        """For any job, or for one more of a kind that has a limit."""
        for lane in self:
            if lane.awaits_worker and (ROOM in rung or lane.entrusted):
                lane.opens_at = 0.0
            if isinstance(lane, ScarceLane) and any(kind in kinds for kind in lane.kinds):
                lane.hear_of_work()

    def _for(self, queue: str, kind: str) -> Lane | None:
        """The one that claims jobs of that kind; most kinds go with others, which may be many."""
        lanes = self._of_queue.get(queue, ())
        of_few_kinds = (lane for lane in lanes if not lane.is_plain and kind in lane.kinds)
        return next(of_few_kinds, next((lane for lane in lanes if lane.is_plain), None))

    def _of_queues(self, queues: Iterable[str]) -> Iterator[Lane]:
        for queue in queues:
            yield from self._of_queue.get(queue, ())

    def spare(self, lane: Lane) -> None:
        """One that found nothing need not look again soon, perhaps."""
        lane.spare(of_queue=self._of_queue[lane.queue])

    def look_everywhere(self) -> None:
        """Of many queues, ask once which to look at."""
        self._is_to_look = False
        self.looked_at = began = time.monotonic()
        ready = None if self._are_few else asked(Job.objects.ready_queues)
        if not self._are_few:
            self._next_look_at = until_next_look(began, time.monotonic() - began)
        for lane in self:
            if ready is None or lane.queue in ready:
                lane.hear_of_work()

    def look_last(self) -> None:
        """Whether any holds work is to be known of all at the same time, else no drain ends."""
        self._looks_far_at = 0.0
        for lane in self:
            lane.rest_no_more()
        self.look_everywhere()

    def look_first(self) -> None:
        """The same at the start, when nobody has told anything yet; not far in full queues."""
        self._looks_far_at = time.monotonic() + LONGEST_AWAY
        for lane in self:
            lane.may_hold_work = False
        self.look_everywhere()

    def holds_work(self, lane: Lane) -> bool:
        """Whether it may. If it has only heard so, that is looked into, with what others heard."""
        if isinstance(lane, LaneOfFewKinds) and lane.is_rumour:
            few = (each for each in self.open() if isinstance(each, LaneOfFewKinds))
            told = [each for each in few if each.is_rumour]
            if time.monotonic() < self._looks_far_at and all(map(self._is_full, told)):
                look_near(told, kinds=self._kinds, look_far_at=self._looks_far_at)
            else:
                self._look_far(told)
            return lane.may_hold_work and not lane.is_rumour
        return lane.may_hold_work

    def _look_far(self, told: Sequence[LaneOfFewKinds]) -> None:
        began = time.monotonic()
        look_into(told, kinds=self._kinds)
        took = time.monotonic() - began
        for each in told:
            if each.has_strayed and not each.may_hold_work:
                self.spare(each)
            if took > CHEAP_SECONDS and not each.may_hold_work:
                each.rest(away_after(took))

    def _is_full(self, lane: Lane) -> bool:
        return any(other.is_full for other in self._of_queue[lane.queue])

    def pass_on(self, *, stopping: Event, but_of: Collection[Lane] = ()) -> None:
        """Tell others of the jobs that were entrusted to us, and are more than we can take."""
        left = [lane for lane in self if lane.entrusted and lane not in but_of]
        for queue in dict.fromkeys(lane.queue for lane in left):
            ride_out(
                lambda queue=queue: wake.send_elsewhere(queue),  # type: ignore[misc]
                doing="waking others",
                stopping=stopping,
            )
        for lane in left:
            lane.entrusted = 0
