"""How much a page and its polls cost, however much there is: queries and bytes."""

import gzip
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from forge_jobs.clock import ManualClock
from forge_jobs.models import (
    ApiToken,
    Batch,
    Child,
    ChildEnd,
    ChildRestart,
    Job,
    JobLabel,
    MetricSample,
    Process,
    Queue,
    RateLimitBudget,
    Schedule,
    State,
)
from tests.admin.people import LIVE, browser
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

QUEUES = [f"queue{number:03d}" for number in range(200)]
MOST_QUERIES = 15
MOST_BYTES = 30_000
MAY = (
    "view_job",
    "view_queue",
    "view_process",
    "view_schedule",
    "view_ratelimitbudget",
    "view_batch",
    "view_apitoken",
    "revoke_apitoken",
    "change_batch",
    "change_queue",
    "pause_queue",
    "retry_job",
    "cancel_job",
    "trigger_schedule",
    "change_schedule",
)
JOBS = reverse("admin:forge_jobs_job_changelist")
OVERVIEW = reverse("admin:forge_jobs_missioncontrol_changelist")
QUEUE = reverse("admin:forge_jobs_queue_changelist")
PAGES: dict[str, str] = {
    "overview": OVERVIEW,
    "health": reverse("admin:forge_jobs_health"),
    "queues": QUEUE,
    "processes": reverse("admin:forge_jobs_process_changelist"),
    "schedules": reverse("admin:forge_jobs_schedule_changelist"),
    "batches": reverse("admin:forge_jobs_batch_changelist"),
    "budgets": reverse("admin:forge_jobs_ratelimitbudget_changelist"),
    "tokens": reverse("admin:forge_jobs_apitoken_changelist"),
    "jobs": JOBS,
    "a kind": f"{JOBS}?kind=app.kind1*",
    "a label": f"{JOBS}?label=common",
    "a text": f"{JOBS}?state=dead&q=nothing",
    **{str(state): f"{JOBS}?state={state}" for state in State},
}
CHARTS = re.compile(r'id="mc-charts" type="application/json">(.*?)</script>', re.DOTALL)
pages = pytest.mark.parametrize("page", PAGES)


@pytest.fixture
def crowd() -> None:
    """200 queues with jobs in every state, 300 schedules, 100 batches and tokens, 20 budgets."""
    process = process_named("p", queues=QUEUES, kinds=["app.kind1"])
    _children(process)
    ApiToken.objects.bulk_create(
        ApiToken(name=f"t{n}", key=f"{n:016x}", owner_name="ada", permissions=["view_job"])
        for n in range(100)
    )
    Queue.objects.bulk_create(Queue(name=name, budget="b1") for name in QUEUES)
    budgets = (RateLimitBudget(name=f"b{n}", capacity=9, refill_per_second=1) for n in range(20))
    RateLimitBudget.objects.bulk_create([_full(budget) for budget in budgets])
    usual = {"kind": "app.noop", "expression": "0 3 * * *", "next_fire_at": NOON}
    Schedule.objects.bulk_create(Schedule(name=f"s{n}", **usual) for n in range(300))
    Batch.objects.bulk_create(Batch(name=f"import {n}") for n in range(100))
    Job.objects.bulk_create(
        _job(number, state, process.pk) for number in range(400) for state in State
    )
    JobLabel.objects.put((pk, ["common"]) for pk in Job.objects.values_list("pk", flat=True))
    MetricSample.objects.bulk_create(
        MetricSample(at=NOON - timedelta(minutes=n % 30), queue=QUEUES[n % 200], succeeded=n)
        for n in range(600)
    )


def _children(process: Process) -> None:
    """Of 50 pools, and why each has replaced others."""
    facts = {"process": process, "jobs_done": 7, "rss_bytes": 2**30}
    Child.objects.bulk_create(Child(kind=f"pool{n}", pid=n, **facts) for n in range(50))
    ChildRestart.objects.bulk_create(  # `add()` would bound the test's transaction
        ChildRestart(kind=f"pool{n}", reason=reason, times=9, last_at=NOON)
        for n in range(50)
        for reason in ChildEnd
    )


def _full(budget: RateLimitBudget) -> RateLimitBudget:
    budget.tokens = budget.capacity
    return budget


def _job(number: int, state: State, process: int) -> Job:
    moment = NOON - timedelta(minutes=number)
    columns: dict[str, Any] = {"run_at": moment, "priority": number % 3}
    match state:
        case State.SUCCEEDED | State.DEAD | State.CANCELLED:
            columns |= {"started_at": moment, "finished_at": moment, "last_error": "ValueError"}
        case State.RUNNING:
            columns |= {"started_at": moment, "process_id": process}
        case State.BLOCKED:
            columns |= {"concurrency_key": "k", "concurrency_limit": 1}
    kind = f"app.kind{number % 20}"
    return Job(queue=QUEUES[number % 200], kind=kind, payload={}, state=state, **columns)


def had(page: HttpResponse | Any) -> str:
    """What the page's script says that the page has."""
    html = page.content.decode()
    versions = re.findall(r'data-version="([^"]*)"', html)
    if found := CHARTS.search(html):
        charts = json.loads(found[1])
        versions += [charts["charts_version"], *charts["blocks"]]
    return ",".join(versions)


def poll(client: Client, address: str, *, have: str = "", **headers: str) -> Any:
    return client.get(address, headers={**LIVE, "Forge-Jobs-Have": have, **headers})


@pytest.mark.usefixtures("crowd")
def test_a_poll_is_small_whatever_there_is() -> None:
    client = browser(*MAY)
    for page, address in PAGES.items():
        have = had(client.get(address))
        with CaptureQueriesContext(connection) as queries:
            answer = poll(client, address, have=have)
        asked = "\n".join(query["sql"] for query in queries.captured_queries)

        assert len(queries) <= MOST_QUERIES, f"{page}:\n{asked}"
        assert len(answer.content) <= MOST_BYTES, page
        assert len(have) < 6_000, page
        whole = poll(client, address, **{"Accept-Encoding": "gzip"})
        assert len(whole.content) <= MOST_BYTES, page
        assert json.loads(gzip.decompress(whole.content))["html"], page


@pages
def test_a_poll_of_a_page_on_which_nothing_has_changed_is_empty(
    page: str, manual_clock: ManualClock
) -> None:
    if page in ("health", "budgets"):
        pytest.skip("its figures are measured anew each time")
    manual_clock.advance(timedelta(seconds=1))  # into the midst of a chart's step
    # Somebody serves it: for how long an ailment lasts is told anew each second.
    process_named("here", queues=["default"], kinds=["app.noop"])
    stored_job(run_at=NOON - timedelta(minutes=1))
    client = browser(*MAY)
    have = had(client.get(PAGES[page]))
    manual_clock.advance(timedelta(milliseconds=900))
    answer = poll(client, PAGES[page], have=have)

    assert answer.status_code == 204
    assert answer.content == b""


def test_a_poll_brings_the_row_that_changed_and_stubs_of_the_others() -> None:
    Queue.objects.bulk_create(Queue(name=name) for name in ("default", "other"))
    client = browser(*MAY)
    have = had(client.get(QUEUE))
    Queue.objects.pause("other")
    html = poll(client, QUEUE, have=have).json()["html"]

    assert '<li data-key="default" data-same></li>' in html
    assert re.search(r'<li class="mc-card" data-key="other"[^>]* data-version="', html)
    assert 'data-live="pages"' not in html


def test_a_script_that_has_nothing_gets_everything() -> None:
    stored_job()
    news = poll(browser(*MAY), OVERVIEW).json()

    assert "data-same" not in news["html"]
    assert news["charts"]["jobs"]["series"][0]["blocks"][0] in news["blocks"]


def test_the_blocks_of_a_chart_that_a_page_has_are_left_out() -> None:
    client = browser(*MAY)
    have = had(client.get(OVERVIEW))
    MetricSample.objects.create(at=NOON - timedelta(minutes=1), queue="default", succeeded=7)
    news = poll(client, OVERVIEW, have=have).json()

    assert len(news["charts"]["jobs"]["series"][0]["blocks"]) > 3
    assert 0 < len(news["blocks"]) < 3


def test_two_thousand_queues_are_a_page_and_a_search() -> None:
    Queue.objects.bulk_create(Queue(name=f"queue{number:04d}") for number in range(2_000))
    client = browser(*MAY)
    page = client.get(QUEUE)

    assert len(page.content) < 150_000
    assert len(page.context["cards"]) == 24
    found = client.get(QUEUE, {"q": "E1234"}).context["cards"]
    assert [card.name for card in found] == ["queue1234"]
    last = client.get(QUEUE, {"p": "99999"}).context["cards"]
    assert last[-1].name == "queue1999"
    assert "No queue fits." in client.get(QUEUE, {"q": "nowhere"}).content.decode()


@pages
def test_a_page_without_a_form_loads_no_script_of_djangos_forms(page: str) -> None:
    html = browser(*MAY).get(PAGES[page]).content.decode()

    assert "forge_jobs/mission-control.js" in html
    assert not re.search(r"jquery|core\.js|RelatedObjectLookups|prepopulate|urlify", html)
