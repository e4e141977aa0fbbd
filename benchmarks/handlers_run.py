"""One measurement of `handlers`, in a process of its own that may start `runjobs` in others."""

import json
import sys
import time

import django
from django.core.management import call_command

ENTRIES = 1_000


def main(verb: str, *words: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)

    from benchmarks.models import Entry

    Entry.objects.bulk_create(Entry(name=f"entry {number}") for number in range(ENTRIES))
    print(json.dumps({"drain": drain, "loop": loop, "bare": bare}[verb](*words)))


def drain(kind: str, jobs: str, processes: str) -> float:
    """Jobs a second from the first to the last."""
    from benchmarks.control_run import await_, runjobs
    from benchmarks.limits_run import seconds_taken
    from forge_jobs import enqueue_many
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.models import Job

    enqueue_many(NewJob(f"bench.{kind}", {"pk": pk}) for pk in keys(int(jobs)))
    with runjobs("--processes", processes, "--threads", "8"):
        await_(lambda: not Job.objects.unfinished().exists())
    return int(jobs) / seconds_taken()


def loop(jobs: str) -> float:
    """Calls a second, in one session."""
    from benchmarks.jobs import real

    began = time.perf_counter()
    for pk in keys(int(jobs)):
        real(pk)
    return int(jobs) / (time.perf_counter() - began)


def bare(jobs: str) -> float:
    """Jobs a second of a queue that does nothing else."""
    from benchmarks import bare
    from benchmarks.jobs import real
    from benchmarks.settings import URL

    return bare.drain(URL, real, [{"pk": pk} for pk in keys(int(jobs))])


def keys(jobs: int) -> list[int]:
    return [number % ENTRIES + 1 for number in range(jobs)]


if __name__ == "__main__":
    main(*sys.argv[1:])
