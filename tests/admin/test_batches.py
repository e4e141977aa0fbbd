"""The tab of batches and the page of one: what they say, who may do what, and what that changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from forge_jobs import JobHandler, batch, job, open_batch
from forge_jobs.dashboard import batches
from forge_jobs.models import Batch, BatchState, Job, State
from forge_jobs.testing import drain
from tests.admin.pages import job_page, listed, listing, text_of
from tests.admin.people import LIVE, SHUT_OUT, answers, browser, operator, text
from tests.conftest import NOON
from tests.plans import walks
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

LIST = reverse("admin:forge_jobs_batch_changelist")
JOBS = reverse("admin:forge_jobs_job_changelist")
NASTY = "<script>alert(1)</script>"


def page_of(row: Batch) -> str:
    return reverse("admin:forge_jobs_batch_change", args=[row.pk])


def button(name: str, row: Batch) -> str:
    return reverse(f"admin:forge_jobs_{name}_batch", args=[row.pk])


def half_done(name: str = "import", **columns: Any) -> Batch:
    """A sealed batch, opened a minute ago, of which two jobs of four have ended."""
    usual = {"state": BatchState.SEALED, "opened_at": NOON - timedelta(minutes=1)}
    row: Batch = Batch.objects.create(name=name, sealed_at=NOON, **usual | columns)
    finished_job(State.SUCCEEDED, batch=row)
    finished_job(State.DEAD, batch=row)
    stored_job(batch=row)
    stored_job(batch=row, state=State.SCHEDULED, run_at=NOON + timedelta(hours=1))
    return row


@pytest.fixture
def nothing() -> JobHandler:
    @job(kind="tests.nothing")
    def nothing(*, number: int = 0) -> None: ...

    return nothing


def test_a_line_says_how_many_jobs_are_in_which_state_and_how_many_parts_have_ended() -> None:
    row = half_done()
    Batch.objects.create(name="part", parent=row, state=BatchState.SUCCEEDED, ended_at=NOON)
    Batch.objects.create(name="part", parent=row)
    line = batches.read(now=NOON).rows[-1]

    assert line.row == row
    assert line.states == [
        (State.SUCCEEDED, 1), (State.DEAD, 1), (State.READY, 1), (State.SCHEDULED, 1)
    ]  # fmt: skip
    assert line.percent == 50
    assert line.parts == (2, 1)


def test_its_end_is_expected_at_the_pace_so_far() -> None:
    half_done()
    (line,) = batches.read(now=NOON).rows

    assert line.ends_at == NOON + timedelta(minutes=1)


def test_nobody_can_tell_the_end_of_what_may_grow_or_has_not_begun() -> None:
    half_done(state=BatchState.OPEN)
    stored_job(batch=Batch.objects.create(name="fresh", state=BatchState.SEALED))

    assert [line.ends_at for line in batches.read(now=NOON).rows] == [None, None]


def test_nothing_but_what_has_ended_is_at_a_hundred_percent() -> None:
    row = Batch.objects.create(name="nearly", state=BatchState.SEALED)
    finished_job(State.SUCCEEDED, batch=row)
    (line,) = batches.read(now=NOON).rows

    assert line.percent == 99


def test_of_what_has_ended_no_job_is_counted() -> None:
    counts = {"succeeded": 50_000}
    Batch.objects.create(name="old", state=BatchState.SUCCEEDED, ended_at=NOON, counts=counts)
    (line,) = batches.read(now=NOON).rows

    assert (line.total, line.percent) == (50_000, 100)


def test_what_takes_long_to_count_is_not_counted_at_each_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    half_done()
    monkeypatch.setattr(batches, "SLOW", -1.0)
    monkeypatch.setattr(batches, "REST_SHARE", 1e9)
    monkeypatch.setattr(batches, "_counted", {})
    first = batches.read(now=NOON).rows[0].counts
    with CaptureQueriesContext(connection) as queries:
        assert batches.read(now=NOON).rows[0].counts == first

    assert not [query for query in queries if "forge_jobs_job" in query["sql"]]


def test_the_list_is_narrowed_by_name_and_state() -> None:
    half_done("January")
    half_done("February", state=BatchState.OPEN)
    client = operator()

    assert "January" not in text_of(client.get(LIST, {"q": "febr"}))
    assert "February" not in text_of(client.get(LIST, {"state": "sealed"}))
    assert "No batch fits." in text(client.get(LIST, {"state": "failed"}))
    assert client.get(LIST, {"q": "\0", "state": NASTY, "p": "x"}).status_code == 200


def test_many_batches_are_pages_that_keep_the_filter() -> None:
    Batch.objects.bulk_create(Batch(name=f"import {n}") for n in range(45))
    response = operator().get(LIST, {"q": "import", "state": "open", "p": "2"})

    assert len(response.context["lines"]) == 20
    assert response.context["next"] == "?q=import&state=open&p=3"
    assert response.context["previous"] == "?q=import&state=open"


def test_many_batches_cost_no_more_queries_than_one() -> None:
    client = operator()
    half_done()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST, headers=LIVE)
        return len(queries)

    few = asked()
    for number in range(15):
        half_done(f"import {number}")

    assert asked() == few <= 15


def test_without_batches_one_is_told_what_they_are() -> None:
    assert "There are no batches." in text(operator().get(LIST))


def test_what_is_stored_is_shown_as_text() -> None:
    row = half_done(NASTY)
    client = operator()
    for path in (LIST, page_of(row), button("cancel", row)):
        assert NASTY not in text(client.get(path))


def test_the_page_of_a_batch_leads_to_all_that_belongs_to_it(nothing: JobHandler) -> None:
    with batch("import", on_success=nothing.new(number=7)) as outer:
        nothing.using(batch=outer).enqueue()
    part = open_batch("January", within=Batch.objects.create(name="whole"))
    client = operator()
    page = client.get(page_of(outer))
    callback = Job.objects.held().get()

    assert f'href="{JOBS}{callback.pk}/change/"' in text(page)
    assert f'href="{JOBS}?batch={outer.pk}&amp;state=ready"' in text(page)
    assert "Comes before" in text(page)
    assert "January" in text_of(client.get(page_of(part.parent)))  # type: ignore[arg-type] # it has one
    assert "whole" in text_of(client.get(page_of(part)))


def test_a_script_gets_the_live_parts_alone() -> None:
    row = half_done()
    for path in (LIST, page_of(row)):
        answer = operator(f"at {path}").get(path, headers=LIVE).json()
        assert answer["html"].lstrip().startswith("<div data-live=")


@pytest.mark.parametrize("key", ["-1", "abc", "4711"])
def test_a_batch_that_is_gone_leads_back_to_the_list(key: str) -> None:
    response = operator().get(reverse("admin:forge_jobs_batch_change", args=[key]))

    assert response["Location"] == LIST


@pytest.mark.parametrize(
    ("name", "needed"),
    [("cancel", "cancel_job"), ("requeue", "retry_job"), ("seal", "change_batch")],
)
def test_who_may_press_a_button(name: str, needed: str) -> None:
    row = half_done(state=BatchState.OPEN)
    codes = answers(button(name, row), viewing="view_batch", needed=needed)

    assert codes == SHUT_OUT | {"viewer": (403, 403), "operator": (200, 302)}


def test_a_viewer_sees_no_button() -> None:
    row = half_done()
    client = browser("view_batch")

    assert button("cancel", row) not in text(client.get(LIST)) + text(client.get(page_of(row)))


def test_a_batch_is_sealed_requeued_and_cancelled_and_the_log_says_by_whom() -> None:
    row = half_done(state=BatchState.OPEN)
    client = operator()
    for name in ("seal", "requeue", "cancel"):
        client.post(button(name, row), {"reason": "it was the wrong file"})
    row.refresh_from_db()

    assert row.state == BatchState.SEALED
    assert Job.objects.filter(batch=row).counts() == {"succeeded": 1, "cancelled": 3}
    assert {one.cancelled_by for one in Job.objects.filter(state="cancelled")} == {"ada"}
    assert list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True)) == [
        f"Batch {row} is sealed.",
        f"1 job of {row} is requeued.",
        f"3 jobs of {row} are cancelled, or were asked to stop.",
    ]


def test_what_is_over_is_neither_sealed_nor_cancelled() -> None:
    row = Batch.objects.create(name="old", state=BatchState.SUCCEEDED, ended_at=NOON, counts={})
    client = operator()
    for name in ("seal", "requeue", "cancel"):
        client.post(button(name, row))
        assert button(name, row) not in text(client.get(page_of(row)))

    assert not LogEntry.objects.exists()


def test_the_jobs_of_a_batch_are_listed_by_state() -> None:
    row = half_done()
    stored_job()
    client = operator()
    every = list(Job.objects.filter(batch=row).order_by("state", "pk").values_list("pk", flat=True))

    assert listed(client, batch=str(row.pk)) == every
    assert len(listed(client, batch=str(row.pk), state="dead")) == 1
    assert "4 jobs" in listing(client, batch=str(row.pk))
    assert listed(client, batch=str(row.pk), kind="app.other") == []
    assert "All 4" in listing(client, batch=str(row.pk))


@pytest.mark.parametrize("given", ["soon", "0", "-1", "9" * 30])
def test_what_is_no_id_of_a_batch_is_refused_beside_its_field(given: str) -> None:
    assert "Batch:" in listing(operator(), batch=given)


def test_the_jobs_of_a_large_batch_are_pages() -> None:
    row = Batch.objects.create(name="large")
    Job.objects.bulk_create(
        Job(queue="default", kind="app.noop", payload={}, state=state, run_at=NOON, batch=row)
        for state in (State.READY, State.SCHEDULED)
        for _ in range(60)
    )
    client = operator()
    seen: list[int] = []
    response = client.get(JOBS, {"batch": str(row.pk)})
    while True:
        seen += [line.job.pk for line, _ in response.context["lines"]]
        if not (older := response.context["older"]):
            break
        response = client.get(JOBS + older)

    assert len(seen) == len(set(seen)) == 120


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite for its plans")
@pytest.mark.parametrize("state", ["", *State])
def test_no_page_of_a_batch_walks_through_the_table_of_jobs(state: str) -> None:
    row = half_done()
    client = operator()

    assert walks(lambda: client.get(JOBS, {"batch": str(row.pk), "state": str(state)})) == []
    assert walks(lambda: client.get(page_of(row))) == []


def test_all_jobs_of_a_batch_are_steered_at_once_and_no_others() -> None:
    row = half_done()
    other = stored_job()
    sent = {"action": "cancel", "select_across": "1", "confirmed": "1"}
    operator().post(f"{JOBS}?batch={row.pk}", sent)

    assert Job.objects.filter(batch=row).counts()["cancelled"] == 2
    other.refresh_from_db()
    assert other.state == State.READY


def test_the_page_of_a_job_tells_its_batch_and_what_comes_before_and_after(
    nothing: JobHandler,
) -> None:
    with batch("import") as b:
        first = nothing.using(batch=b).enqueue()
    second = nothing.using(after=[first, b]).enqueue()
    client = operator()

    assert "Batch import sealed" in job_page(client, first.pk)
    assert f"Comes before tests.nothing #{second.pk} held" in job_page(client, first.pk)
    told = job_page(client, second.pk)
    assert f"It is held until these have ended: #{first.pk} , import ." in told
    assert f"Comes after tests.nothing #{first.pk} ready import #{b.pk} sealed" in told


def test_who_may_not_see_batches_gets_no_link_to_them(nothing: JobHandler) -> None:
    b = open_batch("import")
    first = nothing.using(batch=b).enqueue()
    second = nothing.using(after=b).enqueue()
    client = browser("view_job")
    for pk in (first.pk, second.pk):
        page = text(client.get(f"{JOBS}{pk}/change/"))
        assert "import" in page
        assert page_of(b) not in page


def test_thousands_before_and_after_a_job_are_told_in_short(nothing: JobHandler) -> None:
    many = nothing.enqueue_many({"number": n} for n in range(1_200))
    last = nothing.using(after=many).enqueue()
    nothing.using(after=last).enqueue_many({"number": n} for n in range(1_200))
    client = operator()
    page = job_page(client, last.pk)

    assert page.count("and more") == 3
    assert page.count("tests.nothing #") < 40


def test_a_job_that_was_given_up_says_why_and_how_it_may_go_on() -> None:
    @job(kind="tests.fail", max_attempts=1)
    def fail() -> None:
        raise ValueError("no")

    failing = fail.enqueue()
    behind = fail.using(after=failing).enqueue()
    drain()
    page = job_page(operator(), behind.pk)

    assert f"It comes after tests.fail #{failing.pk}, which is dead." in page
    assert "It goes on once what failed is requeued, and succeeds." in page
    assert page.count("Cancelled") == 1
