"""Fills a database with jobs, totals and samples, scrapes it, and prints how long that took."""

import json
import sys

import django

from benchmarks.pages_run import fill, opened

URL = "/jobs/metrics"
FORMATS = {"text": "text/plain", "OpenMetrics": "application/openmetrics-text"}
ACTIVE_KINDS = 20
SAMPLES = 40
"""Of each active kind: what four processes write until it is summed up."""


def main(jobs: int, rounds: int) -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    fill(jobs)
    fill_totals()
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    times = {}
    for name, accept in FORMATS.items():
        opened(client, URL, accept)  # modules are imported once
        times[f"scrape, {name}"] = [opened(client, URL, accept) for _ in range(rounds)]
    print(json.dumps(times))


def fill_totals() -> None:
    from forge_jobs import clock
    from forge_jobs.metrics.tally import COUNTS, DURATIONS
    from forge_jobs.models import MetricSample, MetricTotal
    from forge_jobs.models.metric_total import MOST

    now = clock.now()
    text = json.dumps({str(index): 10**6 + index for index in range(30, 90)})
    few = json.dumps({str(index): 3 for index in range(40, 55)})
    counts = dict.fromkeys(COUNTS, 10**9)
    queues = ("default", "mail", "images", "reports")
    MetricTotal.objects.bulk_create(
        MetricTotal(
            at=now,
            queue=queues[number % 4],
            kind=f"benchmarks.kind_{number}",
            **counts,
            **dict.fromkeys(DURATIONS, text),
        )
        for number in range(MOST)
    )
    MetricSample.objects.bulk_create(
        MetricSample(
            at=now,
            queue=queues[number % 4],
            kind=f"benchmarks.kind_{number % ACTIVE_KINDS}",
            succeeded=50,
            **dict.fromkeys(DURATIONS, few),
        )
        for number in range(ACTIVE_KINDS * SAMPLES)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
