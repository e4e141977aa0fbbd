"""What Mission Control tells of pools, of their children, and of the child that ran a job."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from forge_jobs.models import Child, ChildEnd, ChildRestart, Process, State
from tests.admin.people import operator, text
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

LIST = reverse("admin:forge_jobs_process_changelist")
MIB = 2**20


def child(process: Process, pid: int, **columns: Any) -> Child:
    usual = {"kind": "orders.words", "jobs_done": 0, "rss_bytes": 8 * MIB}
    return Child.objects.create(process=process, pid=pid, **usual | columns)


def page_of(seat: Client, row: Any) -> str:
    name = row._meta.model_name
    page = text(seat.get(reverse(f"admin:forge_jobs_{name}_change", args=[row.pk])))
    words = strip_tags(page.replace("</dt>", " ")).replace("\xa0", " ")
    return " ".join(words.split())


def test_a_card_names_its_children_those_first_that_run_a_job() -> None:
    process = process_named("p1")
    for pid in range(101, 107):
        child(process, pid)
    child(process, 107, job_id=1_234, jobs_done=1_000, rss_bytes=54 * MIB)
    page = text(operator().get(LIST))

    assert "pid 107, 54 MiB, 1,000 jobs done" in page
    assert "runs #1234" in page
    assert "pid 104" in page
    assert "pid 105" not in page
    assert "and 2 more" in page


def test_a_pool_is_told_of_as_a_whole_and_why_its_children_were_replaced() -> None:
    for name in ("p1", "p2"):
        child(process_named(name), 101, jobs_done=20, job_id=1)
    ChildRestart.objects.add({("orders.words", ChildEnd.MEMORY): 3}, now=NOON)
    ChildRestart.objects.add({("orders.words", ChildEnd.MEMORY): 1}, now=NOON)
    ChildRestart.objects.add({("orders.gone", ChildEnd.TIMED_OUT): 1}, now=NOON)
    gone, words = operator().get(LIST).context["fleet"].pools

    assert (words.children, words.busy, words.jobs_done, words.rss_bytes) == (2, 2, 40, 16 * MIB)
    assert words.replaced == [("used too much memory", 4)]
    assert (gone.kind, gone.children, gone.replaced) == (
        "orders.gone",
        0,
        [("job timed out", 1)],
    )


def test_a_pool_that_is_gone_for_good_is_not_told_of_for_ever() -> None:
    ChildRestart.objects.add({("orders.gone", ChildEnd.JOBS): 1}, now=NOON - timedelta(days=8))

    assert operator().get(LIST).context["fleet"].pools == []


def test_a_process_has_a_page_with_all_of_its_children() -> None:
    process = process_named("p1")
    for pid in range(101, 108):
        child(process, pid, job_id=7 if pid == 107 else None)

    page = page_of(operator(), process)

    assert "orders.words, pid 101, 8.0 MiB, jobs done: 0" in page
    assert "pid 107, 8.0 MiB, jobs done: 0, runs #7" in page


def test_a_job_names_the_child_that_runs_it_and_the_one_that_did() -> None:
    process = process_named("p1")
    running = stored_job(state=State.RUNNING, process=process, started_at=NOON)
    child(process, 4711, job_id=running.pk)
    ended = stored_job(state=State.SUCCEEDED, finished_at=NOON, process_name="p1, child 4712")
    seat = operator()

    assert "Process p1, child 4711" in page_of(seat, running)
    assert "Ran in p1, child 4712" in page_of(seat, ended)


def test_children_are_forgotten_with_their_process() -> None:
    process = process_named("p1")
    child(process, 101)
    process.delete()

    assert not Child.objects.exists()
