"""One measurement of `coroutines`, in a process of its own that starts `runjobs` in another."""

import json
import subprocess
import sys
import time

import django
import psutil
from django.core.management import call_command

COMMAND = [sys.executable, "-m", "django", "runjobs", "--drain", "--async-concurrency", "200"]


def main(kind: str, jobs: str) -> None:
    """Prints the seconds from the first to the last, and the MiB that were needed at most."""
    django.setup()
    call_command("migrate", verbosity=0)
    from django.db.models import Max, Min

    from forge_jobs import enqueue_many
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.models import Job

    enqueue_many(NewJob(f"bench.{kind}") for _ in range(int(jobs)))
    process = subprocess.Popen(COMMAND, stdout=2)
    seen, most = psutil.Process(process.pid), 0
    while process.poll() is None:
        most = max(most, seen.memory_info().rss)
        time.sleep(0.05)
    done = Job.objects.filter(state="succeeded")
    assert done.count() == int(jobs)
    span = done.aggregate(first=Min("started_at"), last=Max("finished_at"))
    print(json.dumps([(span["last"] - span["first"]).total_seconds(), most / 2**20]))


main(*sys.argv[1:])
