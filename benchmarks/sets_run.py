"""One measurement of `sets`, in a process of its own that may start `runjobs` in others."""

import json
import sys
import time

import django
from django.core.management import call_command

ENQUEUED = 20_000


def main(verb: str, *words: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    verbs = {"drain": drain, "enqueue": enqueue, "release": release, "pace": pace}
    measured = verbs[verb](*words)
    print(json.dumps(measured))


def drain(kind: str, jobs: str) -> float:
    """Jobs a second from the first to the last, by three processes."""
    from django.db.models import Max, Min

    from benchmarks.control_run import await_, runjobs
    from benchmarks.jobs import noop
    from forge_jobs import open_batch
    from forge_jobs.models import Job

    payloads = [{}] * int(jobs)
    if kind == "batch":
        opened = open_batch("measured")
        noop.using(batch=opened).enqueue_many(payloads)
        opened.seal()
    else:
        noop.enqueue_many(payloads)
    with runjobs("--processes", "3", "--threads", "4"):
        await_(lambda: not Job.objects.unfinished().exists())
        if kind == "batch":
            opened.join(timeout=10)
    span = Job.objects.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return int(jobs) / (span["last"] - span["first"]).total_seconds()


def pace(handler: str, jobs: str) -> float:
    """Jobs a second of one process, with one thread if each call takes its time."""
    from django.db.models import Max, Min

    from benchmarks import jobs as handlers
    from benchmarks.control_run import await_, runjobs
    from forge_jobs.models import Job

    getattr(handlers, handler).enqueue_many([{}] * int(jobs))
    with runjobs("--threads", "1" if "dear" in handler else "8"):
        await_(lambda: not Job.objects.unfinished().exists())
    span = Job.objects.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return int(jobs) / (span["last"] - span["first"]).total_seconds()


def enqueue(kind: str) -> float:
    """Jobs a second of one `enqueue_many()`, plain or behind others."""
    from benchmarks.jobs import noop
    from forge_jobs import enqueue_many

    before = noop.enqueue_many([{}] * ENQUEUED).ids
    match kind:
        case "plain":
            new = [noop.new() for _ in range(ENQUEUED)]
        case "one":
            last = noop.enqueue()
            new = [noop.using(after=last).new() for _ in range(ENQUEUED)]
        case _:
            new = [noop.using(after=pk).new() for pk in before]
    began = time.perf_counter()
    enqueue_many(new)
    return ENQUEUED / (time.perf_counter() - began)


def release(followers: str) -> float:
    """Milliseconds from the end of one job until so many that come after it are ready."""
    from benchmarks.jobs import noop
    from forge_jobs import clock
    from forge_jobs.models import Job
    from forge_jobs.models.following import Following
    from forge_jobs.states import State

    first = noop.enqueue()
    noop.using(after=first).enqueue_many([{}] * int(followers))
    Job.objects.filter(pk=first.pk).update(state=State.SUCCEEDED, finished_at=clock.now())
    began = time.perf_counter()
    Following(jobs=[first.pk]).finish(now=clock.now())
    taken = time.perf_counter() - began
    assert Job.objects.ready().count() == int(followers)
    return 1_000 * taken


if __name__ == "__main__":
    main(*sys.argv[1:])
