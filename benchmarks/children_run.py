"""One measurement of `children`, in a process of its own that starts `runjobs` in another."""

import json
import subprocess
import sys

import django
from django.core.management import call_command
from django.db.models import Max, Min

PAYLOADS = {
    "each": ("command", {"argv": [sys.executable, "-S", "-c", "print('{}')"]}),
    "each_shell": ("command", {"argv": ["sh", "-c", "echo '{}'"]}),
}


def main(name: str, jobs: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    from forge_jobs import enqueue_many
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.models import Job

    kind, payload = PAYLOADS.get(name, (name, {}))
    enqueue_many(NewJob(f"bench.{kind}", payload) for _ in range(int(jobs)))
    subprocess.run(
        [sys.executable, "-m", "django", "runjobs", "--threads", "4", "--drain"],
        stdout=2,
        check=True,
    )
    done = Job.objects.filter(state="succeeded")
    span = done.aggregate(first=Min("started_at"), last=Max("finished_at"))
    print(json.dumps(done.count() / (span["last"] - span["first"]).total_seconds()))


main(*sys.argv[1:])
