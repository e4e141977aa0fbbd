"""Fills a database with jobs and a month of metrics, opens each page, and prints the times."""

import json
import sys
import time
from datetime import UTC, datetime

import django

KINDS = 20

FILL = {
    "postgresql": """
        INSERT INTO forge_jobs_job (
            queue, kind, payload, state, run_at, enqueued_at, started_at, finished_at, attempt,
            last_error
        )
        SELECT
            (ARRAY['default', 'mail', 'images', 'reports'])[1 + i %% 4],
            'benchmarks.kind_' || i %% 20,
            jsonb_build_object('number', i), of.state, of.at, of.at,
            CASE WHEN of.ended THEN of.at END, CASE WHEN of.ended THEN of.at END, 1,
            CASE WHEN of.state = 'dead' THEN 'ValueError: ' || i ELSE '' END
        FROM generate_series(1, %(jobs)s) AS i CROSS JOIN LATERAL (
            SELECT
                CASE
                    WHEN i %% 50 = 0 THEN 'dead' WHEN i %% 60 = 0 THEN 'cancelled'
                    WHEN i %% 20 = 1 THEN 'ready' WHEN i %% 20 = 2 THEN 'scheduled'
                    WHEN i %% 1000 = 3 THEN 'retrying' ELSE 'succeeded'
                END AS state,
                now() - (%(jobs)s - i) * interval '0.5 second' AS at,
                NOT (i %% 20 IN (1, 2) OR i %% 1000 = 3) OR i %% 50 = 0 OR i %% 60 = 0 AS ended
        ) AS of
    """,
    "sqlite": """
        WITH RECURSIVE number (i) AS (
            SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < %(jobs)s
        )
        INSERT INTO forge_jobs_job (
            queue, kind, payload, state, run_at, enqueued_at, started_at, finished_at, attempt,
            last_error
        )
        SELECT
            CASE i %% 4
                WHEN 0 THEN 'default' WHEN 1 THEN 'mail' WHEN 2 THEN 'images' ELSE 'reports'
            END,
            'benchmarks.kind_' || (i %% 20), json_object('number', i), state, at, at,
            CASE WHEN ended THEN at END, CASE WHEN ended THEN at END, 1,
            CASE WHEN state = 'dead' THEN 'ValueError: ' || i ELSE '' END
        FROM (
            SELECT
                i,
                CASE
                    WHEN i %% 50 = 0 THEN 'dead' WHEN i %% 60 = 0 THEN 'cancelled'
                    WHEN i %% 20 = 1 THEN 'ready' WHEN i %% 20 = 2 THEN 'scheduled'
                    WHEN i %% 1000 = 3 THEN 'retrying' ELSE 'succeeded'
                END AS state,
                strftime(
                    '%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || ((%(jobs)s - i) / 2) || ' seconds'
                ) AS at,
                NOT (i %% 20 IN (1, 2) OR i %% 1000 = 3) OR i %% 50 = 0 OR i %% 60 = 0 AS ended
            FROM number
        )
    """,
}


def main(jobs: int, rounds: int) -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    fill(jobs)
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    times = {page: [] for page in pages(jobs)}
    for page, url in pages(jobs).items():
        client.get(url)  # templates are read once
        for _ in range(rounds):
            times[page].append(opened(client, url))
            times.setdefault(f"{page}, news", []).append(opened(client, url, "application/json"))
    print(json.dumps(times))


def opened(client, url: str, accept: str = "text/html") -> float:
    began = time.perf_counter()
    answer = client.get(url, headers={"Accept": accept})
    answer.content  # noqa: B018 - renders what is lazy
    took = 1_000 * (time.perf_counter() - began)
    if answer.status_code != 200:
        raise SystemExit(f"{url}: {answer.status_code}")
    return took


def pages(jobs: int) -> dict[str, str]:
    root = "/admin/forge_jobs"
    return {
        "overview, 30 minutes": f"{root}/missioncontrol/",
        "overview, 7 days": f"{root}/missioncontrol/?window=7d",
        "queues": f"{root}/queue/",
        "processes": f"{root}/process/",
        "budgets": f"{root}/ratelimitbudget/",
        "cron": f"{root}/schedule/",
        "health, 7 days": f"{root}/missioncontrol/health/?window=7d",
        "jobs": f"{root}/job/",
        "jobs, ready": f"{root}/job/?state=ready",
        "jobs, scheduled": f"{root}/job/?state=scheduled",
        "jobs, retrying": f"{root}/job/?state=retrying",
        "jobs, succeeded": f"{root}/job/?state=succeeded",
        "jobs, dead in a queue": f"{root}/job/?state=dead&queue=mail",
        "jobs of a kind": f"{root}/job/?kind=benchmarks.kind_7",
        "jobs of a kind that is not there": f"{root}/job/?kind=benchmarks.nothing",
        "jobs, text in errors": f"{root}/job/?state=dead&q=ValueError",
        "jobs, text that is not there": f"{root}/job/?q=nowhere",
        "job": f"{root}/job/{jobs // 2}/change/",
        "job, waiting": f"{root}/job/{jobs // 2 + 1}/change/",
    }


def fill(jobs: int) -> None:
    from django.db import connection

    from forge_jobs import clock
    from forge_jobs.models import Queue
    from forge_jobs.services.census import Census

    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(FILL[connection.vendor], {"jobs": jobs})
    fill_metrics(now)
    Queue.objects.sow({name: {} for name in ("default", "mail", "images", "reports")})
    Census().run_once(now=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def fill_metrics(now) -> None:
    """What the meter leaves of a month, though of minutes only what a page can ask for."""
    from forge_jobs.metrics.tally import SPANS
    from forge_jobs.models import MetricBucket

    text = json.dumps({str(index): 3 for index in range(40, 60)})
    _shortest, minute, *longer = SPANS
    durations = {"run_time": text, "latency": text, "wait": text}
    for span, days in [(minute, 2), *((span, 30) for span in longer)]:
        last = int(now.timestamp() // span)
        moments = [
            datetime.fromtimestamp((last - place) * span, tz=UTC)
            for place in range(1, days * 86_400 // span)
        ]
        rows = [
            MetricBucket(
                at=at,
                span_seconds=span,
                is_summed=span != SPANS[-1],
                queue="mail",
                kind=f"benchmarks.kind_{kind}",
                enqueued=60,
                succeeded=58,
                dead=2,
                **durations,
            )
            for at in moments
            for kind in range(KINDS)
        ]
        MetricBucket.objects.bulk_create(rows, batch_size=5_000)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
