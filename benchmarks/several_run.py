"""One measurement of `several`, in a process of its own that may start `runjobs` in others."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import django
from django.core.management import call_command

WARM_UP = 20


def main(verb: str, *numbers: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    print(json.dumps({"drain": drain, "enqueue": enqueue}[verb](*map(int, numbers))))


def drain(jobs: int, retiring_after: int = 0) -> float:
    """Jobs a second of two processes, which retire after so many, or stay if it is 0."""
    from benchmarks.control_run import await_, runjobs
    from benchmarks.jobs import noop
    from benchmarks.limits_run import SETTLED_SECONDS, seconds_taken
    from forge_jobs.models import Job, Process, Queue

    retiring = ["--max-jobs-per-process", str(retiring_after)] if retiring_after else []
    Queue.objects.sow({"default": {}})
    with runjobs("--processes", "2", "--threads", "8", *retiring):
        await_(lambda: Process.objects.count() == 2)
        Queue.objects.pause("default")
        time.sleep(SETTLED_SECONDS)
        for _ in range(0, jobs, 10_000):
            noop.enqueue_many([{}] * min(jobs, 10_000))
        Queue.objects.resume("default")
        await_(lambda: not Job.objects.unfinished().exists())
    return jobs / seconds_taken()


def enqueue(jobs: int, threads: int) -> float:
    """Jobs a second that so many threads enqueue one by one."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(enqueue_each, [WARM_UP] * threads))
        began = time.perf_counter()
        list(pool.map(enqueue_each, [jobs // threads] * threads))
        return jobs / (time.perf_counter() - began)


def enqueue_each(jobs: int) -> None:
    from benchmarks.jobs import noop

    for _ in range(jobs):
        noop.enqueue()


if __name__ == "__main__":
    main(*sys.argv[1:])
