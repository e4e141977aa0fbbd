"""Web processes, a `runjobs` with a backlog, and clients that send on time, whoever is slow."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from statistics import quantiles

import django
import psutil

BACKLOG = 400_000
"""Enough that the drain goes on until the last request, which is looked at."""
CLIENTS = 16
WEB = 5
"""Twice the two cores and one more, as servers of this kind are told to have."""
FIRST = 3.0
"""For so many seconds the web processes warm up, before the drain begins: code, sessions."""


def main(a_second: int, seconds: int, kind: str, nice: int) -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from forge_jobs import enqueue_many
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.models import ApiToken, Job

    call_command("migrate", verbosity=0)
    user = User.objects.create_superuser("operator")
    _, token = ApiToken.objects.issue(
        name="bench",
        owner_key=str(user.pk),
        owner_name="operator",
        permissions=["view_job"],
        kinds=["bench.noop"],
        expires_at=None,
    )
    enqueue_many(NewJob(kind, {}) for _ in range(BACKLOG))
    web = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.api_run"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    port = int(web.stdout.readline())
    started = [web]
    try:
        send(port, token, a_second=a_second, seconds=FIRST)
        jobs = subprocess.Popen(
            [sys.executable, "manage.py", "runjobs", "--threads", "4", "--verbosity", "0"],
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # as services are
        )
        started.append(jobs)
        weigh(jobs.pid, nice=nice)
        while not (done := Job.objects.finished().count()):
            if jobs.poll() is not None:
                raise SystemExit("runjobs has ended.")
            time.sleep(0.05)
        began, used = time.monotonic(), cpu(web)
        times = send(port, token, a_second=a_second, seconds=seconds)
        processor = 1000 * (cpu(web) - used) / len(times)
        drained = (Job.objects.finished().count() - done) / (time.monotonic() - began)
        if not Job.objects.filter(pk__lte=BACKLOG).unfinished().exists():
            raise SystemExit("The drain was over before the last request.")
    finally:
        os.killpg(web.pid, signal.SIGTERM)
        for process in started:
            process.terminate()
            process.wait(30)
    cuts = quantiles(times, n=100)
    told = {"p50": 1000 * cuts[49], "p99": 1000 * cuts[98]}
    print(json.dumps({**told, "processor": processor, "drained": drained}))


def weigh(pid: int, *, nice: int) -> None:
    """Of a whole session, where Linux weighs those; within one nice values count as well."""
    os.setpriority(os.PRIO_PROCESS, pid, nice)
    if (session := Path(f"/proc/{pid}/autogroup")).exists():
        session.write_text(str(nice))


def cpu(process: subprocess.Popen) -> float:
    """Of it and its children."""
    one = psutil.Process(process.pid)
    return sum(sum(each.cpu_times()[:2]) for each in (one, *one.children()))


def send(port: int, token: str, *, a_second: int, seconds: float) -> list[float]:
    """Seconds from when each request was due, not from when somebody was free to send it."""
    times: list[float] = []
    due = iter(range(int(a_second * seconds)))
    began, turn = time.monotonic() + 0.1, threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            with turn:
                number = next(due, None)
            if number is None:
                return
            moment = began + number / a_second
            time.sleep(max(0.0, moment - time.monotonic()))
            ask(connection, token, number)
            times.append(time.monotonic() - moment)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def ask(connection: http.client.HTTPConnection, token: str, number: int) -> None:
    """Half of them enqueue, the others look at one job, or at a list."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    headers["Connection"] = "close"  # for whoever waits for this process
    root = "/jobs/api"
    if number % 2:
        body = json.dumps({"kind": "bench.noop", "payload": {"moment": 0}})
        headers["Idempotency-Key"] = f"{time.time_ns()}-{number}"
        connection.request("POST", f"{root}/jobs", body, headers)
    elif number % 10:
        connection.request("GET", f"{root}/jobs/{1 + number % BACKLOG}", headers=headers)
    else:
        connection.request("GET", f"{root}/jobs?state=succeeded&limit=20", headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status not in (200, 201):
        raise SystemExit(f"{answer.status}")


def serve() -> None:
    """Processes that answer one request after the other, as gunicorn's are by default."""
    django.setup()
    from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
    from django.core.wsgi import get_wsgi_application

    WSGIRequestHandler.log_message = lambda *args: None

    server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    for _ in range(WEB - 1):
        if os.fork() == 0:
            break
    else:
        print(server.server_port, flush=True)
    while True:  # not `serve_forever()`, for which each request wakes all of them
        with suppress(OSError):  # of a client that has gone
            server.process_request(*server.get_request())


if __name__ == "__main__":
    match sys.argv[1:]:
        case [a_second, seconds, kind, nice]:
            main(int(a_second), int(seconds), kind, int(nice))
        case _:
            serve()
