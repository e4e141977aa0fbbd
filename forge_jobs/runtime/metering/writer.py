"""Writes what was recorded of runs every other second, off the hot path."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import Error, transaction

from forge_jobs import db
from forge_jobs.db.rows import EventRow
from forge_jobs.models import JobEvent, MetricSample, Watermark
from forge_jobs.runtime.metering.gauging import Gauging
from forge_jobs.runtime.metering.recorder import Recorded
from forge_jobs.runtime.service_loop import TolerantLoop
from forge_jobs.services.base import Service
from forge_jobs.signals import events_dropped

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine


class MeteringLoop(TolerantLoop):
    """Ends last, and writes what is left; no trouble with it stops the process."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, "metering", [metering := Metering(engine), Gauging(engine)])
        self.look_at_watermark = metering.look_at_watermark

    def work(self) -> None:
        super().work()
        self.take(self.turns[0])


class Metering(Service):
    """What can't be written is kept for the next time, merged with what comes until then."""

    interval = timedelta(seconds=2)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run_once(self, *, now: datetime) -> int:
        recorder = self.engine.recorder
        recorder.begin(self.engine.crew.runs(), now=now, moment=time.monotonic())
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
        events = [
            EventRow(process_name=self.engine.name, **happening._asdict())
            for happening in taken.happenings()
        ]
        if not (taken.tallies or events):
            return 0
        with self.engine.writing, transaction.atomic(using=db.connection().alias):
            return JobEvent.objects.write(events) + MetricSample.objects.store(
                taken.tallies, at=now
            )

    def look_at_watermark(self) -> None:
        """Jobs that are forgotten at once are counted here, unless the meter has counted them."""
        steering, queues = self.engine.steering, self.engine.queues
        if not all(steering.keeps_successes(queue) for queue in queues):
            self.engine.recorder.counted_up_to = Watermark.objects.counted_up_to()
