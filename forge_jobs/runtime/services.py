"""The services of a process, and which of them share a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge_jobs.runtime.heartbeat import Heartbeat
from forge_jobs.runtime.metering.writer import MeteringLoop
from forge_jobs.runtime.orders import Orders
from forge_jobs.runtime.running.cancellation import Cancellation
from forge_jobs.runtime.running.progress import Advance
from forge_jobs.runtime.running.rest import Rest
from forge_jobs.runtime.service_loop import LeaderLoop, ServiceLoop
from forge_jobs.services.balancer import Balancer
from forge_jobs.services.census import Census
from forge_jobs.services.leader import Leader
from forge_jobs.services.lookout import Lookout
from forge_jobs.services.meter import Meter
from forge_jobs.services.promoter import Promoter
from forge_jobs.services.pruner import Pruner
from forge_jobs.services.reaper import Reaper
from forge_jobs.services.residents import Residents
from forge_jobs.services.scheduler import Scheduler
from forge_jobs.services.stager import Stager
from forge_jobs.services.surveyor import Surveyor
from forge_jobs.services.thinner import Thinner

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine


def employ_services(engine: Engine) -> None:
    """Make the threads that run them; none is started."""
    engine.leader = Leader(engine.process)
    engine.heartbeat = Heartbeat(engine)
    # Alone, for whatever else hangs on a lock must not make this process look dead.
    engine.pulse = ServiceLoop(engine, "pulse", [engine.heartbeat])
    watching = [
        engine.steering,
        Orders(engine),
        Cancellation(engine),
        Advance(engine),
        engine.leader,
        Rest(),
    ]
    engine.watch = ServiceLoop(engine, "watch", watching)
    staging = [Stager(), Scheduler(), Promoter(), Residents()]
    sharing = [Reaper(engine.heartbeat.heard_since), Balancer()]
    engine.services = LeaderLoop(engine, "services", [*staging, *sharing])
    # Of millions of jobs these take seconds, for which what is due must not wait.
    tidying = [Pruner(), Lookout(), Thinner()]
    measuring = [Meter(), Surveyor(), Census()]
    engine.upkeep = LeaderLoop(engine, "upkeep", [*tidying, *measuring])
    engine.metering = MeteringLoop(engine)
