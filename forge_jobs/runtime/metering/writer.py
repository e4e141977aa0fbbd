"""Writes what was recorded of runs every other second, off the hot path."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from django.db import Error, transaction

from forge_jobs import db
from forge_jobs.db.observed import EventRow
from forge_jobs.models import JobEvent, MetricSample, Process, Watermark
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.metering.gauging import Gauging
from forge_jobs.runtime.metering.recorder import Recorded, Recorder
from forge_jobs.runtime.metering.roll import Roll
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.runtime.service_loop import TolerantLoop
from forge_jobs.services.base import Service
from forge_jobs.signals import events_dropped


class MeteringLoop(TolerantLoop):
    """Ends last, and writes what is left; no trouble with it stops the process."""

    def __init__(
        self, metering: Metering, gauging: Gauging, roll: Roll, *, fail: Callable[[str], None]
    ) -> None:
        super().__init__("metering", [metering, gauging, roll], fail=fail)
        self.look_at_watermark = metering.look_at_watermark

    def work(self) -> None:
        super().work()
        for turn in (self.turns[0], self.turns[-1]):
            self.take(turn)


class Metering(Service):
    """What can't be written is kept for the next time, merged with what comes until then."""

    interval = timedelta(seconds=2)
    rests_at_first = timedelta(seconds=1)

    def __init__(
        self,
        process: Process,
        recorder: Recorder,
        *,
        workers: Workers,
        steering: Steering,
        writing: AbstractContextManager[object],
    ) -> None:
        self._process = process
        self._recorder = recorder
        self._workers = workers
        self._steering = steering
        self._writing = writing

    def run_once(self, *, now: datetime) -> int:
        recorder = self._recorder
        recorder.begin(self._workers.runs(), now=now, moment=time.monotonic())
        taken = recorder.take()
        try:
            written = self.write(taken, now=now)
        except Error:
            recorder.put_back(taken)
            raise
        if taken.dropped:
            events_dropped.send_robust(type(self), number=taken.dropped)
        self.look_at_watermark()
        return written

    def write(self, taken: Recorded, *, now: datetime) -> int:
        name = self._process.name
        events = [
            EventRow(
                one.job_id, one.at, one.event, one.attempt, one.place or name, one.seconds
            )._replace(detail=one.detail)
            for one in taken.happenings()
        ]
        if not (taken.tallies or events):
            return 0
        with self._writing, transaction.atomic(using=db.connection().alias):
            return JobEvent.objects.write(events) + MetricSample.objects.store(
                taken.tallies, at=now
            )

    def look_at_watermark(self) -> None:
        """Jobs that are forgotten at once are counted here, unless the meter has counted them."""
        if not self._steering.keeps_all_successes():
            self._recorder.counted_up_to = Watermark.objects.counted_up_to()
