"""One measurement of `large`, in a process of its own that starts `runjobs` in others."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread

import django
from django.core.management import call_command
from django.db import connection

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
        prunings = prune(rows // 20), prune(rows // 20)
        found["pruned"] = timed(prunings[0], stopping=Event())
        stopping, rates = Event(), []
        beside = Thread(target=lambda: rates.append(timed(prunings[1], stopping=stopping)))
        beside.start()
        found["drained_beside"] = drain(drained)
        stopping.set()
        beside.join()
        found["beside"] = rates[0]
    print(json.dumps(found))


def fill(rows: int) -> None:
    """Finished jobs, the oldest the longest ago; and a tenth as many that are due in an hour."""
    with connection.cursor() as cursor:
        statement = FILL[connection.vendor]
        cursor.execute(statement, {"rows": rows, "state": "succeeded", "sign": -1})
        cursor.execute(statement, {"rows": rows // 10, "state": "scheduled", "sign": 3_600})
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def drain(jobs: int) -> float:
    """Jobs a second from the first to the last."""
    from django.db.models import Max, Min

    from benchmarks.control_run import await_, runjobs
    from benchmarks.jobs import noop
    from forge_jobs.models import Job

    last = Job.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for _ in range(0, jobs, 10_000):
        noop.enqueue_many([{}] * 10_000)
    ours = Job.objects.filter(pk__gt=last)
    with runjobs("--threads", "8"):
        await_(lambda: not ours.ready().exists() and not ours.running().exists())
    span = ours.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return jobs / (span["last"] - span["first"]).total_seconds()


def prune(rows: int) -> Iterator[int]:
    """Pass by pass, until so many rows are deleted, the oldest first."""
    from forge_jobs import clock
    from forge_jobs.models import Job, Queue
    from forge_jobs.services.pruner import Pruner

    pruner, left = Pruner(), rows
    finished = Job.objects.filter(state="succeeded").order_by("finished_at")
    end = finished.values_list("finished_at", flat=True)[rows]
    Queue.objects.sow({"default": {}})
    kept_for = clock.now() - end
    Queue.objects.update(retain_succeeded_seconds=kept_for / timedelta(seconds=1))
    now = clock.now()
    while left > 0 and (deleted := pruner.run_once(now=now)):
        left -= deleted
        yield deleted


def timed(passes: Iterator[int], *, stopping: Event) -> float:
    """Rows a second."""
    began, deleted = time.perf_counter(), 0
    for number in passes:
        deleted += number
        if stopping.is_set():
            break
    connection.close()
    return deleted / (time.perf_counter() - began)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
