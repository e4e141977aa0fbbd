"""All pages with much to say, and what may be wrong with how one of them looks or is told."""

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from importlib.metadata import metadata
from pathlib import Path

import django
from axe_playwright_python import sync_playwright as axe
from django.db import connection
from playwright.sync_api import Page

from forge_jobs import clock
from forge_jobs.models import (
    ApiToken,
    Batch,
    BatchState,
    Child,
    ChildEnd,
    ChildRestart,
    Gate,
    JobStep,
    Needs,
    Predecessor,
    Queue,
    RateLimitBudget,
    Role,
    Schedule,
    State,
)
from forge_jobs.states import TERMINAL, WAITING
from tests.factories import process_named
from tests.faults.servers import LOCALHOST, free_port
from tests.rows import finished_job, stored_job
from tests.running import PATIENCE, ROOT, eventually

LONG = "a-name-that-" + "never-" * 14 + "ends"
ADMIN = "/admin/forge_jobs/"
PICTURE = Path(__file__).with_name("look.js").read_text()


def fill() -> list[str]:
    """Of each table a row with a long name, jobs in each state; returns all pages to look at.

    The first eight have all that there is on pages.
    """
    now = clock.now()
    queue = Queue.objects.create(
        name=LONG, is_paused=True, budget=LONG, throttled_until=now + timedelta(hours=1)
    )
    moments = {"started_at": now, "heartbeat_at": now}
    wishes = {"state": "quiet", "requested_state": "stopping", "requested_by": LONG}
    trouble = f"It stumbled over {LONG}."
    process = process_named(
        LONG, host=LONG, queues=[LONG] * 3, trouble=trouble, **moments, **wishes
    )
    for pid in range(1, 8):
        Child.objects.create(process=process, kind=LONG, pid=pid, jobs_done=pid, rss_bytes=2**40)
    ChildRestart.objects.add({(LONG, reason): 10**9 for reason in ChildEnd}, now=now)
    schedule = Schedule.objects.create(
        name=LONG, kind=LONG, expression="0 3 * * *", last_error=LONG * 3, next_fire_at=now
    )
    budget = RateLimitBudget.objects.create(
        name=LONG, capacity=1e9, refill_per_second=1e-9, tokens=1e6, drained_until=now
    )
    error = {"at": now.isoformat(), "attempt": 3, "message": LONG, "traceback": LONG * 4}
    dead = finished_job(queue=LONG, kind=LONG, last_error=LONG * 3, errors=[error])
    for role in Role:
        step = {"name": f"{role}-{LONG}", "role": role, "value": {"after": LONG}}
        JobStep.objects.create(job_id=dead.pk, at=now, claimed_at=now, **step)
    token, _ = ApiToken.objects.issue(
        name=LONG,
        owner_key=LONG,
        owner_name=LONG,
        permissions=["view_job"],
        kinds=[LONG],
        expires_at=now + timedelta(days=1),
    )
    running = stored_job(
        queue=LONG, kind=LONG, state=State.RUNNING, process=process, started_at=now
    )
    for state in WAITING:
        stored_job(queue=LONG, kind=LONG, state=state)
    for state in TERMINAL:
        finished_job(state)
    batch = Batch.objects.create(name=LONG, state=BatchState.SEALED, sealed_at=now)
    part = Batch.objects.create(name=LONG, parent=batch, expires_at=now)
    stored_job(batch=batch, state=State.RUNNING, process=process, started_at=now)
    for state in TERMINAL:
        first = finished_job(state, batch=batch, kind=LONG)
    gate = Gate.objects.create()
    held = stored_job(batch=part, kind=LONG, state=State.HELD, gate=gate)
    needs = Needs.SUCCESS
    Predecessor.objects.create(gate=gate, place=0, needs=needs, batch=batch)
    Predecessor.objects.create(gate=gate, place=1, needs=needs, job=first)
    idle = Queue.objects.create(name="idle")
    return [
        *("missioncontrol/", "job/", f"job/{dead.pk}/change/", f"job/requeue-job/{dead.pk}/"),
        *("queue/", f"queue/{queue.pk}/change/", "schedule/", f"schedule/{schedule.pk}/change/"),
        *("missioncontrol/health/", "process/", "ratelimitbudget/", "job/?state=dead"),
        *("job/?since=soon", "schedule/add/", "ratelimitbudget/add/"),
        *("batch/", f"batch/{batch.pk}/change/", f"batch/{part.pk}/change/"),
        *(f"batch/cancel-batch/{batch.pk}/", f"job/?batch={batch.pk}", "job/?state=held"),
        *(f"job/{held.pk}/change/", f"job/{first.pk}/change/"),
        *(f"queue/{queue.pk}/history/", f"queue/{idle.pk}/delete/"),
        *(f"process/{process.pk}/change/", f"schedule/{schedule.pk}/delete/"),
        *(f"ratelimitbudget/{budget.pk}/change/", f"ratelimitbudget/drain-budget/{budget.pk}/"),
        *("apitoken/", "apitoken/add/", f"apitoken/{token.pk}/change/"),
        *(f"apitoken/revoke-token/{token.pk}/", f"job/kill-job/{running.pk}/"),
    ]


def look(page: Page) -> list[str]:
    """What is wrong with the page's geometry, in words."""
    found: list[str] = page.evaluate(PICTURE)
    return found


def listen(page: Page, within: str, *rules: str) -> list[str]:
    """What axe finds within an element, by all of its rules or some."""
    page.evaluate(_axe())
    found: list[str] = page.evaluate(
        """async ([within, rules]) => {
        const fading = document.getAnimations().filter((each) => each instanceof CSSTransition);
        await Promise.all(fading.map(({ finished }) => finished.catch(() => {})));
        const options = { resultTypes: ["violations"], ...(rules.length && { runOnly: rules }) };
        const { violations } = await axe.run(within, options);
        return violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(", ")}`);
        }""",
        [within, rules],
    )
    return found


@cache
def _axe() -> str:
    return Path(axe.__file__).with_name("axe.min.js").read_text()


def missing(theme: str) -> str:
    """Why a theme can't be looked at here; empty if it can."""
    if importlib.util.find_spec(theme) is None:
        return f"django-{theme} is not installed"
    version = "{}.{}".format(*django.VERSION)
    classifiers = metadata(f"django-{theme}").get_all("Classifier") or []
    if f"Framework :: Django :: {version}" not in classifiers:
        return f"django-{theme} does not say that it knows Django {version}"
    return ""


@contextmanager
def served(theme: str) -> Iterator[str]:
    """The address of a web server with that theme, on the test's own database."""
    address = f"{LOCALHOST}:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "runserver", "--noreload", "--insecure", address],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.browser.themed",
            "FORGE_JOBS_TEST_THEME": theme,
            "FORGE_JOBS_TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: process.poll() is not None or _answers(address))
        assert process.poll() is None, "It could not start."
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(address: str) -> bool:
    host, port = address.split(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False
