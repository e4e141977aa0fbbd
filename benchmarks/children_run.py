"""One measurement of `children`, in a process of its own that starts `runjobs` in another."""

import json
import subprocess
import sys
from datetime import datetime

import django
from django.core.management import call_command

ENTRIES = 1_000
PAYLOADS = {
    "each": ("command", {"argv": [sys.executable, "-S", "-c", "print('{}')"]}),
    "each_shell": ("command", {"argv": ["sh", "-c", "echo '{}'"]}),
}


def main(name: str, jobs: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)
    from benchmarks.models import Entry
    from forge_jobs import enqueue_many
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.models import Job

    Entry.objects.bulk_create(Entry(name=f"entry {number}") for number in range(ENTRIES))
    keys = [*Entry.objects.values_list("pk", flat=True)]
    kind, payload = PAYLOADS.get(name, (name, {}))
    enqueue_many(
        NewJob(f"bench.{kind}", {"pk": keys[number % ENTRIES]} if "real" in name else payload)
        for number in range(int(jobs))
    )
    subprocess.run(
        [sys.executable, "-m", "django", "runjobs", "--threads", "4", "--drain"],
        stdout=2,
        check=True,
    )
    done = Job.objects.filter(state="succeeded").order_by("finished_at")
    print(json.dumps(rate([*done.values_list("finished_at", flat=True)])))


def rate(ends: list[datetime]) -> float:
    """Jobs a second once a quarter has ended, by when all children are warm."""
    warm = ends[len(ends) // 4 :]
    return (len(warm) - 1) / (warm[-1] - warm[0]).total_seconds()


if __name__ == "__main__":
    main(*sys.argv[1:])
