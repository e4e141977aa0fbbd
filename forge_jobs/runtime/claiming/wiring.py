"""The parts that claiming is made of, and how they are joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from threading import Event

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Process
from forge_jobs.runtime.claiming.admission import Admission
from forge_jobs.runtime.claiming.apart import Apart
from forge_jobs.runtime.claiming.buffer import Buffer
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.claiming.draining import Draining
from forge_jobs.runtime.claiming.fetcher import Fetcher
from forge_jobs.runtime.claiming.heirs import Heirs
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lanes import Lanes
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.room import Room
from forge_jobs.runtime.claiming.rounds import Rounds
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.options import Options
from forge_jobs.wake.local import Bell


def fetcher(
    process: Process,
    *,
    options: Options,
    steering: Steering,
    doors: Mapping[str, Door],
    claims: Claims,
    buffer: Buffer,
    bell: Bell,
    work_done: Callable[[], tuple[int, float]],
    takers: Callable[[], int],
    apart: Apart,
    release: Callable[[ClaimedJob], None],
    lifecycle: Lifecycle,
    writing: AbstractContextManager[object],
    stopping: Event,
) -> Fetcher:
    """The thread that claims, with all that tells it what, and how much."""
    desks = buffer.desks
    load = Load(
        work_done, takers=takers, threads=options.threads, doors=doors, desks=desks, apart=apart
    )
    kinds = KindLimits(claims, process.kinds)
    lanes = Lanes(options.queues, kinds=kinds, desks=desks, steering=steering, apart=apart)
    room = Room(load=load, claims=claims, limits=options.limits)
    admission = Admission(
        process, steering=steering, doors=doors, load=load, writing=writing, stopping=stopping
    )
    rounds = Rounds(
        lanes=lanes,
        kinds=kinds,
        admission=admission,
        load=load,
        room=room,
        claims=claims,
        buffer=buffer,
        release=release,
        writing=writing,
        stopping=stopping,
    )
    draining = None
    if options.drain:
        draining = Draining(
            lanes=lanes,
            room=room,
            claims=claims,
            lifecycle=lifecycle,
            writing=writing,
            stopping=stopping,
        )
    return Fetcher(
        lanes=lanes,
        kinds=kinds,
        admission=admission,
        rounds=rounds,
        draining=draining,
        room=room,
        steering=steering,
        load=load,
        claims=claims,
        buffer=buffer,
        bell=bell,
        lifecycle=lifecycle,
        limits=options.limits,
        poll_interval=options.poll_interval,
        stopping=stopping,
    )


def heirs(fetcher: Fetcher) -> Heirs:
    """What claims beside it, by the same parts."""
    return Heirs(
        lanes=fetcher.lanes,
        steering=fetcher.steering,
        room=fetcher.room,
        load=fetcher.load,
        claims=fetcher.claims,
        buffer=fetcher.buffer,
        bell=fetcher.bell,
        lifecycle=fetcher.lifecycle,
        stopping=fetcher.stopping,
    )
