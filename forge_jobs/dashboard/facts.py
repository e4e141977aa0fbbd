"""Reads what bears on a job that is not running, in a few queries that all are bounded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from forge_jobs.conf import conf
from forge_jobs.dashboard.diagnosis import MANY, Facts, Server
from forge_jobs.dashboard.job_list import NEXT_CLAIMED
from forge_jobs.dashboard.kin import awaited
from forge_jobs.durations import of_seconds
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job, Process, ProcessState, Queue, RateLimitBudget, Share, State
from forge_jobs.operations.locks import lock_on

HOLDERS = 10


def read_facts(job: Job, *, now: datetime) -> Facts:
    facts: dict[str, Any] = {
        "state": State(job.state),
        "queue": job.queue,
        "kind": job.kind,
        "run_at": job.run_at,
        "now": now,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
    }
    match job.state:
        case State.READY:
            facts |= _of_ready(job, now=now)
        case State.BLOCKED:
            facts |= {"concurrency_key": job.concurrency_key, "holders": _holders(job)}
        case State.HELD:
            facts["awaited"] = awaited(job)
            facts["is_anybody_live"] = Process.objects.live(now=now).exists()
        case State.CANCELLED if job.was_given_up:
            facts["awaited"] = replace(awaited(job), reason=job.cancel_reason)
        case State.SCHEDULED | State.RETRYING:
            facts["is_anybody_live"] = Process.objects.live(now=now).exists()
        case State.RUNNING:
            facts |= _of_running(job, now=now)
    return Facts(**facts)


def _of_ready(job: Job, *, now: datetime) -> dict[str, Any]:
    live = list(Process.objects.live(now=now).order_by("host", "name"))
    limit = _kind_limit(job.kind)
    row = Queue.objects.filter(name=job.queue).first()
    return {
        "is_anybody_live": bool(live),
        "servers": _servers(job, live, counts_kind=limit is not None),
        "kind_limit": limit,
        "jobs_before": _jobs_before(job),
        **(_of_queue(row, now=now) if row else {}),
    }


def _of_queue(row: Queue, *, now: datetime) -> dict[str, Any]:
    facts = {
        "is_paused": row.is_paused,
        "cooling_until": row.throttled_until,
        "max_workers": row.max_workers,
        "budget": row.budget,
    }
    if row.max_workers is not None:
        facts["lock"] = str(lock_on(row.name) or "")
        facts["busy_workers"] = Share.objects.busy([row.name])[row.name]
    if row.budget:
        level = RateLimitBudget.objects.level(row.budget)
        wait = level.seconds_until(1) if level else 0
        facts["has_budget"] = level is not None or row.budget in conf().budgets
        facts["budget_until"] = now + of_seconds(wait) if wait else None
    return facts


def _servers(job: Job, live: list[Process], *, counts_kind: bool) -> list[Server]:
    serving = [process for process in live if job.queue in process.queues]
    of_kind: Counter[int] = Counter()
    if counts_kind:
        mine = Job.objects.claimed_by(*serving).filter(kind=job.kind)
        of_kind.update(mine.values_list("process_id", flat=True))
    return [
        Server(
            name=process.name,
            is_claiming=process.state == ProcessState.RUNNING,
            knows_kind=job.kind in process.kinds,
            threads=process.threads,
            running=process.running,
            of_kind=of_kind[process.pk],
            trouble=process.trouble,
        )
        for process in serving
    ]


def _of_running(job: Job, *, now: datetime) -> dict[str, Any]:
    process = Process.objects.filter(pk=job.process_id).first() if job.process_id else None
    is_silent = process is not None and not process.is_live(now=now)
    return {
        "process": process.name if process else "a process that has been forgotten",
        "started_at": job.started_at,
        "silent_since": process.heartbeat_at if process and is_silent else None,
        "cancel_requested_at": job.cancel_requested_at,
        "is_to_be_killed": job.is_to_be_killed,
    }


def _holders(job: Job) -> list[int]:
    held = Job.objects.filter(concurrency_key=job.concurrency_key, concurrency_slot__isnull=False)
    return list(held.order_by("concurrency_slot").values_list("pk", flat=True)[:HOLDERS])


def _jobs_before(job: Job) -> int:
    """Of its queue, in the order of claims; no more than just above `MANY`."""
    before = 0
    place = (job.priority, job.run_at, job.pk)
    ready = Job.objects.ready().filter(queue=job.queue)
    for stretch in NEXT_CLAIMED.ahead_of(place, is_backward=True):
        before += len(ready.filter(stretch).values_list("pk")[: MANY + 1 - before])
        if before > MANY:
            break
    return before


def _kind_limit(kind: str) -> int | None:
    return registry.get(kind).max_concurrent_per_process if kind in registry.kinds() else None
