"""One measurement of `limits`, in a process of its own that starts `runjobs` in others."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django
from django.core.management import call_command

SETTLED_SECONDS = 2


def main(verb: str, *words: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    numbers = map(int, words)
    match verb:
        case "noops" | "timed":
            rate, most = drain(f"bench.{verb.removesuffix('s')}", *numbers)
        case "behind":
            rate, most = drain_behind(*numbers), 0
    print(json.dumps({"rate": rate, "most": most}))


def drain(kind: str, jobs: int, limit: int, processes: int) -> tuple[float, int]:
    """Jobs a second with a `max_workers`, or none if it is 0; and how many ran at once."""
    from forge_jobs import enqueue_many
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.models import Job, Queue

    Queue.objects.sow({"default": {"max_workers": limit or None}})
    with runjobs("--processes", str(processes), "--threads", "8", processes=processes):
        Queue.objects.pause("default")
        time.sleep(SETTLED_SECONDS / 2)
        enqueue_many(NewJob(kind, {}) for _ in range(jobs))
        Queue.objects.resume("default")
        await_(lambda: not Job.objects.unfinished().exists())
    spans = [span for (span,) in Job.objects.values_list("result") if span]
    if spans:
        seconds = max(end for _, end in spans) - min(begin for begin, _ in spans)
        return jobs / seconds, most_at_once(spans)
    return jobs / seconds_taken(), 0


def drain_behind(jobs: int, front: int) -> float:
    """Jobs a second behind so many of a kind that is at its limit in this process."""
    from forge_jobs import enqueue_many
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.models import Job, Queue

    Queue.objects.sow({"default": {}})
    with runjobs("--threads", "8", processes=1):
        Queue.objects.pause("default")
        time.sleep(SETTLED_SECONDS / 2)
        enqueue_many(NewJob("bench.lone", {}) for _ in range(front))
        enqueue_many(NewJob("bench.noop", {}) for _ in range(jobs))
        Queue.objects.resume("default")
        others = Job.objects.unfinished().filter(kind="bench.noop")
        await_(lambda: not others.exists())
        seconds = seconds_taken(kind="bench.noop")
    return jobs / seconds


def seconds_taken(**which: object) -> float:
    """From the first claim to the last end."""
    from django.db.models import Max, Min

    from forge_jobs.models import Job

    ended = Job.objects.finished().filter(**which)
    span = ended.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return (span["last"] - span["first"]).total_seconds()


def most_at_once(spans: list[list[float]]) -> int:
    steps = sorted([(end, -1) for _, end in spans] + [(begin, 1) for begin, _ in spans])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


@contextmanager
def runjobs(*options: str, processes: int) -> Iterator[None]:
    """Start them, and let them come to rest."""
    from forge_jobs.models import Process

    process = subprocess.Popen([sys.executable, "-m", "django", "runjobs", *options], stdout=2)
    try:
        await_(lambda: Process.objects.count() == processes)
        time.sleep(SETTLED_SECONDS)
        yield
    finally:
        process.kill() if processes == 1 else process.terminate()
        process.wait()


def await_(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
