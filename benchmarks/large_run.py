"""One measurement of `large`, in a process of its own that starts `runjobs` in others."""

import json
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

WRITE_OUT = {"postgresql": "CHECKPOINT", "sqlite": "PRAGMA wal_checkpoint(TRUNCATE)"}
APART = timedelta(milliseconds=1)
"""The time between the ends of one finished job and the next."""

FILL = {
    "postgresql": """
        INSERT INTO forge_jobs_job (queue, kind, payload, state, run_at, started_at, finished_at)
        SELECT 'default', 'bench.noop', '{}', %(state)s, moment, done, done
        FROM generate_series(1, %(rows)s) AS i CROSS JOIN LATERAL (
            SELECT now() + %(sign)s * i * interval '1 millisecond' AS moment,
                CASE WHEN %(sign)s < 0 THEN now() - i * interval '1 millisecond' END AS done
        ) AS of
    """,
    "sqlite": """
        WITH RECURSIVE number (i) AS (
            SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < %(rows)s
        )
        INSERT INTO forge_jobs_job (queue, kind, payload, state, run_at, started_at, finished_at)
        SELECT 'default', 'bench.noop', '{}', %(state)s, moment, done, done
        FROM (
            SELECT
                strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', (%(sign)s * i / 1000.0) || ' seconds')
                    AS moment,
                CASE WHEN %(sign)s < 0 THEN
                    strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', (-i / 1000.0) || ' seconds')
                END AS done
            FROM number
        )
    """,
}


def main(rows: int, drained: int) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    if rows:
        fill(rows)
    found = {"drained": drain(drained)}
    if rows:
        found["pruned"] = prune(rows // 10)
        keep_all()
        found["drained_after"] = drain(drained)
        let_go(rows // 2)
        found["drained_beside"], found["beside"] = drain_beside_pruner(drained)
    print(json.dumps(found))


def fill(rows: int) -> None:
    """Finished jobs, the oldest the longest ago; and a tenth as many that are due in an hour.

    Counted, as whoever led while there came to be so many has done.
    """
    from forge_jobs import clock
    from forge_jobs.services.census import Census

    with connection.cursor() as cursor:
        statement = FILL[connection.vendor]
        cursor.execute(statement, {"rows": rows, "state": "succeeded", "sign": -1})
        cursor.execute(statement, {"rows": rows // 10, "state": "scheduled", "sign": 3_600})
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    Census().run_once(now=clock.now())
    with connection.cursor() as cursor:
        # So that no drain pays for what was loaded: on SQLite a log as large as the table.
        cursor.execute(WRITE_OUT[connection.vendor])


def drain(jobs: int) -> float:
    """Jobs a second from the first to the last."""
    from benchmarks.control_run import await_, runjobs

    ours = enqueued(jobs)
    with runjobs("--threads", "8"):
        await_(is_over)
    return rate_of(ours)


def drain_beside_pruner(jobs: int) -> tuple[float, float]:
    """The same, and how many old jobs went in each of these seconds, from the first of them on."""
    from benchmarks.control_run import await_, runjobs

    ours, first = enqueued(jobs), oldest()
    with runjobs("--threads", "8"):
        await_(lambda: oldest() > first)
        began, before = time.perf_counter(), oldest()
        await_(is_over)
        gone = (oldest() - before) / APART / (time.perf_counter() - began)
    return rate_of(ours), gone


def enqueued(jobs: int) -> Any:
    from benchmarks.jobs import noop
    from forge_jobs.models import Job

    last = Job.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for _ in range(0, jobs, 10_000):
        noop.enqueue_many([{}] * 10_000)
    return Job.objects.filter(pk__gt=last)


def is_over() -> bool:
    """In the order of an index, else PostgreSQL looks at all that have been drained, each time."""
    from forge_jobs.models import Job

    ready = Job.objects.ready().order_by("queue", "-priority", "run_at", "id")
    running = Job.objects.running().order_by("process")
    return not any(jobs.values_list("pk").first() for jobs in (ready, running))


def rate_of(ours: Any) -> float:
    from django.db.models import Max, Min

    span = ours.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return ours.count() / (span["last"] - span["first"]).total_seconds()


def prune(rows: int) -> float:
    """Rows a second, pass by pass, with the rests that the pruner wants."""
    from forge_jobs import clock
    from forge_jobs.runtime.service_loop import SHORTEST_REST
    from forge_jobs.services.pruner import Pruner

    let_go(rows)
    pruner, now, pruned = Pruner(), clock.now(), 0
    began = time.perf_counter()
    while (rest := pruner.rest(now=now)) < pruner.interval or not pruned:
        time.sleep(max(SHORTEST_REST, rest.total_seconds()) if pruned else 0)
        pruned += pruner.run_once(now=now)
    return pruned / (time.perf_counter() - began)


def let_go(rows: int) -> None:
    """Shorten the retention, so that this many more are to be pruned."""
    from forge_jobs import clock
    from forge_jobs.models import Queue

    Queue.objects.sow({"default": {}})
    kept_for = clock.now() - oldest() - rows * APART
    Queue.objects.update(retain_succeeded_seconds=kept_for / timedelta(seconds=1))


def keep_all() -> None:
    from forge_jobs.models import Queue

    Queue.objects.update(retain_succeeded_seconds=None)


def oldest() -> datetime:
    """When the first of those ended that are left."""
    from forge_jobs.models import Job

    ended = Job.objects.ended_as("succeeded").filter(queue="default").order_by("finished_at")
    return ended.values_list("finished_at", flat=True)[0]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
