"""Writes what was recorded of runs every other second, off the hot path."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import Error, transaction

from forge_jobs import db
from forge_jobs.models import JobEvent, MetricSample, Watermark
from forge_jobs.runtime.gauging import Gauging
from forge_jobs.runtime.recorder import Recorded
from forge_jobs.runtime.service_loop import TolerantLoop
from forge_jobs.services.base import Service
from forge_jobs.signals import events_dropped

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine


class MeteringLoop(TolerantLoop):
    """Ends last, and writes what is left; no trouble with it stops the process."""

    def __init__(self, engine: Engine) -> None:
        self.metering = Metering(engine)
        super().__init__(engine, "metering", [self.metering, Gauging(engine)])

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
        samples = [
            MetricSample(at=now, queue=work.queue, kind=work.kind, **tally.columns())
            for work, tally in taken.tallies.items()
        ]
        events = [
            JobEvent(process_name=self.engine.name, **happening._asdict())
            for happening in taken.happenings()
        ]
        if samples or events:
            with self.engine.writing, transaction.atomic(using=db.connection().alias):
                MetricSample.objects.bulk_create(samples)
                JobEvent.objects.bulk_create(events)
        return len(samples) + len(events)

    def look_at_watermark(self) -> None:
        """Jobs that are forgotten at once are counted here, unless the meter has counted them."""
        steering, queues = self.engine.steering, self.engine.queues
        if not all(steering.keeps_successes(queue) for queue in queues):
            self.engine.recorder.counted_up_to = Watermark.objects.counted_up_to()
