"""One process of `runjobs`: its parts, how they are joined, and the order in which they start."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import Final, Self

from forge_jobs import clock, db, wake
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Process, Timetable
from forge_jobs.runtime import pools, sessions
from forge_jobs.runtime.announcer import Announcer
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.claiming.sharing import Sharing
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.claiming.wiring import fetcher, heirs
from forge_jobs.runtime.database_file import DatabaseFile
from forge_jobs.runtime.ending import Ending, Threads
from forge_jobs.runtime.finalizer import Finalizer
from forge_jobs.runtime.heartbeat import Heartbeat
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.metering.recorder import Recorder
from forge_jobs.runtime.options import Options
from forge_jobs.runtime.outcome_store import OutcomeStore
from forge_jobs.runtime.registration import measure_clock, sign_on, sow_declared
from forge_jobs.runtime.running import crew
from forge_jobs.runtime.services import service_loops
from forge_jobs.runtime.settlements import Settlements
from forge_jobs.runtime.watch import Watch
from forge_jobs.runtime.write_turn import WriteTurn
from forge_jobs.schedules import timetable
from forge_jobs.services.followers import Followers
from forge_jobs.services.leader import Leader
from forge_jobs.services.stager import Stager
from forge_jobs.signals import process_started, process_stopped, process_stopping
from forge_jobs.wake.local import Bell

REST_SECONDS: Final = 1.0
"""How long the main thread looks after nothing where there is nothing."""


class Engine:
    """Claims and runs jobs from `run()` until a stop is requested of its `lifecycle`.

    Unstarted jobs go back at once then, running ones have `shutdown_timeout` to finish; those
    that don't are told so through `ctx.cancelled` and go back as well, with their attempt.
    """

    @classmethod
    def signed_on(cls, options: Options, *, lifecycle: Lifecycle | None = None) -> Self:
        """Make one, under a name that is its own; raises `ProcessNameTaken`."""
        measure_clock()
        process = sign_on(
            options.name,
            timetable=Timetable.objects.declare(timetable.seeds(), now=clock.now()),
            queues=list(options.queues),
            kinds=registry.kinds(),
            threads=crew.places(options),
        )
        sow_declared()
        return cls(options, process=process, lifecycle=lifecycle or Lifecycle())

    def __init__(self, options: Options, *, process: Process, lifecycle: Lifecycle) -> None:
        self.options = options
        self.process = process
        self.lifecycle = lifecycle
        turn, bell, claiming_stops, giving_up = WriteTurn(), Bell(), Event(), Event()
        is_file = db.connection().vendor == "sqlite"
        database_file = DatabaseFile(lifecycle, turn=turn) if is_file else None
        writing: AbstractContextManager[object] = database_file or nullcontext()
        self.steering = Steering(options.queues)
        self.claims = Claims(process)
        self.doors: dict[str, Door] = {}
        self.settlements = Settlements(self.steering, doors=self.doors, process_name=process.name)
        self.workers, self.buffer = crew.hire(
            process,
            options=options,
            bell=bell,
            doors=self.doors,
            settlements=self.settlements,
            turn=turn,
            writing=writing,
            claiming_stops=claiming_stops,
            lifecycle=lifecycle,
        )
        self.sharing = Sharing(
            process,
            threads=options.threads,
            apart=self.workers.apart,
            doors=self.doors,
            steering=self.steering,
            buffer=self.buffer,
            bell=bell,
            runs=self.workers.runs,
            lifecycle=lifecycle,
            writing=writing,
        )
        self.fetcher = fetcher(
            process,
            options=options,
            steering=self.steering,
            doors=self.doors,
            claims=self.claims,
            buffer=self.buffer,
            bell=bell,
            work_done=self.workers.work_done,
            takers=self.workers.takers,
            apart=self.workers.apart,
            release=self.settlements.release,
            lifecycle=lifecycle,
            writing=writing,
            stopping=claiming_stops,
        )
        self.recorder = Recorder()
        self.leader = Leader(process)
        followers = Followers()
        self.announcer = Announcer(
            claims=self.claims,
            fetcher=self.fetcher,
            steering=self.steering,
            recorder=self.recorder,
        )
        self.finalizer = Finalizer(
            process,
            settlements=self.settlements,
            store=OutcomeStore(
                process,
                steering=self.steering,
                heirs=heirs(self.fetcher),
                writing=writing,
                giving_up=giving_up,
            ),
            announcer=self.announcer,
            followers=followers,
            claims=self.claims,
            fetcher=self.fetcher,
            leader=self.leader,
            lifecycle=lifecycle,
            writing=writing,
            giving_up=giving_up,
        )
        self.watch = Watch(
            fetcher=self.fetcher,
            finalizer=self.finalizer,
            workers=self.workers,
            steering=self.steering,
            lifecycle=lifecycle,
            kinds=process.kinds,
        )
        self.heartbeat = Heartbeat(
            process,
            workers=self.workers,
            watch=self.watch,
            lifecycle=lifecycle,
            health_file=options.health_file,
        )
        listener = wake.listener()
        loops = service_loops(
            process,
            database_file=database_file,
            heartbeat=self.heartbeat,
            steering=self.steering,
            sharing=self.sharing,
            leader=self.leader,
            followers=followers,
            recorder=self.recorder,
            workers=self.workers,
            lifecycle=lifecycle,
            writing=writing,
            hears=lambda: listener.hears,
            poll_interval=options.poll_interval,
        )
        self.threads = Threads(self.finalizer, self.fetcher, listener, loops)

    @property
    def failure(self) -> str:
        """Why the process could not stop in order, or had to stop; empty if all is well."""
        return self.lifecycle.failure

    @property
    def died(self) -> int:
        """How many jobs became dead letters here."""
        return self.announcer.died

    @property
    def is_stuck(self) -> bool:
        """Whether threads are left, after the end, that nobody can wait for."""
        workers = self.workers
        threads = [*workers.threads, *workers.helping_threads, *workers.abandoned_threads]
        return any(thread.is_alive() for thread in (*threads, self.finalizer))

    def run(self) -> str:
        """Work until a stop is requested; returns the reason."""
        self.steering.run_once(now=clock.now())
        self.sharing.run_once(now=clock.now())
        self.threads.loops.metering.look_at_watermark()
        sessions.hand_over()
        process_started.send_robust(
            type(self),
            process=self.process,
            hears_by=self.threads.listener.method,
            poll_interval=self.options.poll_interval,
        )
        if self.options.drain:
            Stager().run_once(now=clock.now())
        db.connection().close()  # a receiver may have left anything in it
        self.workers.start()
        self.threads.start()
        reason = self._await_stop()
        self.lifecycle.is_stopping = True
        process_stopping.send_robust(type(self), reason=reason)
        Ending(
            self.threads,
            workers=self.workers,
            buffer=self.buffer,
            claims=self.claims,
            settlements=self.settlements,
            lifecycle=self.lifecycle,
            timeout=self.options.shutdown_timeout,
        ).carry_out()
        pools.stop()
        process_stopped.send_robust(type(self), process=self.process, failure=self.failure)
        return reason

    def _await_stop(self) -> str:
        lifecycle, limits = self.lifecycle, self.options.limits
        while True:
            if reason := lifecycle.await_stop_or_work(
                within=REST_SECONDS, is_at_work=self._is_at_work
            ):
                return reason
            self.workers.look_after()
            pools.look_after()
            if limits.is_orphaned():
                return "its supervisor is gone"
            if self.workers.stuck >= self.options.threads:
                lifecycle.give_up(f"{self.workers.stuck} threads are stuck")
            ended = self.workers.jobs_ended()  # first: what ends in between is not counted twice
            if reason := limits.exceeded(jobs=ended + len(self.workers.runs())):
                lifecycle.retire(reason)
                limits.make_way()
            hangs = lifecycle.failure and self.workers.hang_in_imports
            if lifecycle.retiring and (hangs or not self.claims):
                return lifecycle.retiring

    def _is_at_work(self) -> bool:
        """Whether there may be something to look after: jobs, children, or an end that is near."""
        return bool(self.claims or self.lifecycle.retiring or pools.are_there())
