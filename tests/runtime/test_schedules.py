"""Schedules in a running engine: jobs are made by themselves, and know for which moment."""

from datetime import datetime, timedelta
from itertools import pairwise
from threading import Event
from typing import Any

import pytest

from forge_jobs import JobContext, clock, enqueue, job
from forge_jobs.cron.zones import SECOND
from forge_jobs.models import Schedule
from forge_jobs.services.census import Census
from tests.running import drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)

Window = tuple[datetime | None, datetime | None]


def test_a_handler_sees_its_schedule_and_its_window() -> None:
    seen: list[tuple[str | None, Window]] = []

    @job(kind="tests.beat", every=SECOND, takes_context=True)
    def beat(ctx: JobContext) -> None:
        seen.append((ctx.schedule, (ctx.last_due_at, ctx.due_at)))

    with running(engine()):
        eventually(lambda: len(seen) >= 3)

    names, windows = zip(*seen, strict=True)
    assert set(names) == {"tests.beat"}
    assert all(earlier[1] == later[0] for earlier, later in pairwise(windows))
    assert Schedule.objects.get().last_fired_at == windows[-1][1]


def test_a_job_is_made_within_a_second_of_its_due_moment() -> None:
    @job(kind="tests.late", every=SECOND)
    def late() -> None: ...

    with running(engine()):
        eventually(lambda: Schedule.objects.filter(last_fired_at__isnull=False).exists())
        first = Schedule.objects.get().jobs.order_by("pk").first()

    assert first
    due_at = datetime.fromisoformat(first.context["due_at"])
    assert first.run_at >= due_at
    # The database's own clock says when it was enqueued, and a busy machine is late.
    assert abs(first.enqueued_at - due_at) < timedelta(seconds=5)


def test_no_moment_waits_for_a_count_of_many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    @job(kind="tests.prompt", every=SECOND)
    def prompt() -> None: ...

    counting, counted = Event(), Event()

    def count(*args: Any, **kwargs: Any) -> int:
        counting.set()
        counted.wait(60)
        return 0

    monkeypatch.setattr(Census, "run_once", count)
    with running(engine()):
        try:
            assert counting.wait(20)
            eventually(lambda: Schedule.objects.filter(last_fired_at__isnull=False).exists())
        finally:
            counted.set()


def test_other_jobs_have_no_schedule() -> None:
    seen: list[object] = []

    @job(kind="tests.plain", takes_context=True)
    def plain(ctx: JobContext) -> None:
        seen.extend([ctx.schedule, ctx.due_at, ctx.last_due_at])

    enqueue(plain, context={"due_at": clock.now().isoformat()})
    drain()
    assert seen == [None, None, None]
