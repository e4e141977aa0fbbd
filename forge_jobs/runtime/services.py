"""The services of a process, and which of them share a thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import NamedTuple

from forge_jobs.models import Process
from forge_jobs.runtime.claiming.sharing import Sharing
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.database_file import DatabaseFile
from forge_jobs.runtime.heartbeat import Heartbeat
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.metering.gauging import Gauging
from forge_jobs.runtime.metering.recorder import Recorder
from forge_jobs.runtime.metering.roll import Roll
from forge_jobs.runtime.metering.writer import Metering, MeteringLoop
from forge_jobs.runtime.news import News
from forge_jobs.runtime.orders import Orders
from forge_jobs.runtime.running.cancellation import Cancellation
from forge_jobs.runtime.running.progress import ProgressWriter
from forge_jobs.runtime.running.rest import Rest
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.runtime.service_loop import LeaderLoop, ServiceLoop
from forge_jobs.services.balancer import Balancer
from forge_jobs.services.census import Census
from forge_jobs.services.corrector import Corrector
from forge_jobs.services.expirer import Expirer
from forge_jobs.services.followers import Followers
from forge_jobs.services.gatekeeper import Gatekeeper
from forge_jobs.services.horizon import Horizon
from forge_jobs.services.label_pruner import LabelPruner
from forge_jobs.services.leader import Leader
from forge_jobs.services.lookout import Lookout
from forge_jobs.services.meter import Meter
from forge_jobs.services.promoter import Promoter
from forge_jobs.services.pruner import Pruner
from forge_jobs.services.reaper import Reaper
from forge_jobs.services.residents import Residents
from forge_jobs.services.scheduler import Scheduler
from forge_jobs.services.set_pruner import SetPruner
from forge_jobs.services.stager import Stager
from forge_jobs.services.surveyor import Surveyor
from forge_jobs.services.thinner import Thinner


class Loops(NamedTuple):
    """The threads that run services."""

    pulse: ServiceLoop
    """Alone, for whatever else hangs on a lock must not make this process look dead."""
    watch: ServiceLoop
    services: LeaderLoop
    upkeep: LeaderLoop
    """Of millions of jobs its services take seconds, for which what is due must not wait."""
    metering: MeteringLoop


def service_loops(
    process: Process,
    *,
    database_file: DatabaseFile | None,
    heartbeat: Heartbeat,
    steering: Steering,
    sharing: Sharing,
    leader: Leader,
    followers: Followers,
    recorder: Recorder,
    workers: Workers,
    lifecycle: Lifecycle,
    writing: AbstractContextManager[object],
    hears: Callable[[], bool],
    poll_interval: timedelta,
) -> Loops:
    """Make the threads; none is started."""
    horizon = Horizon()
    news = News(
        process,
        queues=process.queues,
        steering=steering,
        orders=Orders(process, lifecycle),
        followers=followers,
        horizon=horizon,
        leader=leader,
        hears=hears,
        poll_interval=poll_interval,
    )
    watching = [
        news,
        sharing,
        Cancellation(process, workers, hears=hears),
        ProgressWriter(process, workers, writing=writing),
        leader,
        Rest(),
    ]
    staging = [
        Stager(horizon),
        Expirer(horizon),
        Scheduler(horizon),
        Promoter(horizon),
        Gatekeeper(horizon),
        Residents(),
    ]
    reaping = [Reaper(heartbeat.hearing), Balancer()]
    tidying = [Pruner(), LabelPruner(), SetPruner(), Lookout(), Thinner(), Corrector()]
    measuring = [Meter(), Surveyor(), Census()]
    metering = Metering(process, recorder, workers=workers, steering=steering, writing=writing)
    gauging = Gauging(
        process,
        workers=workers,
        database_seconds=lambda: heartbeat.database_seconds,
        writing=writing,
    )
    fail = lifecycle.fail
    return Loops(
        pulse=ServiceLoop("pulse", [*filter(None, [database_file]), heartbeat], fail=fail),
        watch=ServiceLoop("watch", watching, fail=fail),
        services=LeaderLoop("services", [*staging, *reaping], leader=leader, fail=fail),
        upkeep=LeaderLoop("upkeep", [*tidying, *measuring], leader=leader, fail=fail),
        metering=MeteringLoop(metering, gauging, Roll(process, writing=writing), fail=fail),
    )
