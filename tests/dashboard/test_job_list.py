"""The list of jobs: what is on a page, in which order, and how one gets to the next."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext

from forge_jobs import NewJob, enqueue_many
from forge_jobs.dashboard import endings, job_list, order
from forge_jobs.dashboard.job_list import JobList
from forge_jobs.dashboard.list_page import JobPage
from forge_jobs.dashboard.order import Place
from forge_jobs.models import Job, JobLabel, State
from forge_jobs.operations.selection import Selection
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def listed(*states: State, **filters: Any) -> JobList:
    return JobList(selection=Selection(states=states or list(State), **filters), now=NOON)


def ids(page: JobPage) -> list[int]:
    return [job.pk for job in page.jobs]


def all_pages(jobs: JobList, *, size: int = 3) -> list[int]:
    """The ids on all pages, one after the other."""
    found: list[int] = []
    after: Place | None = None
    while True:
        page = jobs.page(after=after, size=size)
        found += ids(page)
        after = page.after or page.looked_to
        if after is None:
            return found


def stored_in(state: State, number: int) -> Job:
    """One of many of a state, some at the same moment and in different queues."""
    moment = NOON + (number // 2) * MINUTE
    columns: dict[str, Any] = {"queue": ["default", "other", "images"][number % 3]}
    columns |= {"run_at": moment, "priority": number % 2}
    if state == State.RUNNING:
        columns |= {"process": process_named(f"p{number}"), "started_at": moment}
    if state in (State.SUCCEEDED, State.DEAD, State.CANCELLED):
        return finished_job(state, **columns | {"finished_at": moment})
    return stored_job(state=state, **columns)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("size", [1, 3, 4])
def test_the_pages_of_a_state_have_each_of_its_jobs_once(state: State, size: int) -> None:
    mine = {stored_in(state, number).pk for number in range(10)}
    for other in State:
        if other != state:
            stored_in(other, 100 + list(State).index(other))

    found = all_pages(listed(state), size=size)

    assert len(found) == 10
    assert set(found) == mine


@pytest.mark.parametrize("size", [1, 2])
def test_jobs_that_were_enqueued_in_one_moment_are_on_a_page_each_once(size: int) -> None:
    mine = {stored.pk for stored in enqueue_many([NewJob(noop) for _ in range(5)])}

    assert sorted(all_pages(listed(State.READY), size=size)) == sorted(mine)


@pytest.mark.parametrize("state", [None, State.READY, State.DEAD])
def test_the_jobs_of_a_label_are_listed_the_newest_first(state: State | None) -> None:
    mine = [stored_in(state or State.READY, number).pk for number in range(7)]
    others = [stored_in(State.SCHEDULED, number).pk for number in range(20, 22)]
    JobLabel.objects.put((pk, ["a", "b"]) for pk in [*mine[::2], *others])
    JobLabel.objects.put([(mine[1], ["b"])])
    wanted = [*([] if state else others[::-1]), *mine[::2][::-1]]

    jobs = listed(*[state] if state else [], label="a")
    assert all_pages(jobs, size=2) == wanted
    second = jobs.page(after=jobs.page(size=2).after, size=2)
    assert ids(jobs.page(before=second.before, size=2)) == wanted[:2]
    assert jobs.page().matched == len(wanted)
    assert ids(listed(label="a", queue="other").page()) == [
        pk for pk in wanted if Job.objects.get(pk=pk).queue == "other"
    ]
    assert ids(listed(label="a", ids=[mine[0], mine[1]]).page()) == [mine[0]]


@pytest.mark.parametrize("state", [None, *State])
def test_the_way_back_leads_over_the_same_pages(state: State | None) -> None:
    for number in range(7):
        stored_in(state or State.READY, number)
    jobs = listed(*[state] if state else [])
    first = jobs.page(size=3)
    second = jobs.page(after=first.after, size=3)
    third = jobs.page(after=second.after, size=3)

    assert third.after is None
    assert first.before is None
    assert ids(jobs.page(before=third.before, size=3)) == ids(second)
    back = jobs.page(before=second.before, size=3)
    assert ids(back) == ids(first)
    assert back.before is None
    assert back.after == first.after


def test_all_jobs_are_listed_the_newest_first() -> None:
    jobs = [stored_job(), finished_job(), stored_job(state=State.SCHEDULED)]

    assert ids(listed().page()) == [job.pk for job in reversed(jobs)]


def test_ready_jobs_are_listed_in_the_order_in_which_they_are_claimed() -> None:
    late = stored_job(run_at=NOON + MINUTE)
    urgent = stored_job(priority=5, run_at=NOON + 2 * MINUTE)
    early = stored_job(run_at=NOON)

    assert ids(listed(State.READY, queue="default").page()) == [urgent.pk, early.pk, late.pk]


def test_ready_jobs_of_all_queues_are_listed_queue_by_queue() -> None:
    later = stored_job(run_at=NOON + MINUTE, queue="images")
    other = stored_job(run_at=NOON - MINUTE, priority=5, queue="other")
    early = stored_job(run_at=NOON, queue="images")

    assert ids(listed(State.READY).page()) == [early.pk, later.pk, other.pk]


def test_jobs_of_a_kind_are_listed_in_the_order_of_all_jobs() -> None:
    first, last = (finished_job(finished_at=NOON + n * MINUTE) for n in (1, 2))
    waiting = stored_job(state=State.SCHEDULED)
    ready = stored_job()
    old = finished_job(State.SUCCEEDED, finished_at=NOON - 400 * 24 * 60 * MINUTE, queue="other")
    finished_job(kind="app.other")
    expected = [old.pk, ready.pk, waiting.pk, last.pk, first.pk]

    for kind in ("app.noop", "app.no*"):
        assert all_pages(listed(kind=kind), size=2) == expected
    assert all_pages(listed(State.DEAD, kind="app.no*"), size=1) == [last.pk, first.pk]


def test_jobs_of_a_kind_are_found_the_whole_way_back() -> None:
    for number in range(7):
        finished_job(finished_at=NOON - number * 24 * 60 * MINUTE, queue=f"q{number % 3}")
    for _ in range(2):
        stored_job()
    jobs = listed(kind="app.noop")
    pages = [jobs.page(size=3)]
    while pages[-1].after:
        pages.append(jobs.page(after=pages[-1].after, size=3))

    assert [len(page.jobs) for page in pages] == [3, 3, 3]
    for earlier, later in pairwise(pages):
        assert ids(jobs.page(before=later.before, size=3)) == ids(earlier)


@pytest.mark.parametrize("kind", [None, "app.noop", "app.no*"])
@pytest.mark.parametrize("apart", [timedelta(0), timedelta(microseconds=300), 400 * MINUTE])
def test_however_many_ended_in_a_while_each_is_on_a_page_once(
    kind: str | None, apart: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "LARGEST", 2)
    mine = [finished_job(finished_at=NOON - n * apart, queue=f"q{n % 3}").pk for n in range(9)]
    finished_job(kind="app.other", finished_at=NOON - apart)
    jobs = listed(State.DEAD, kind=kind)
    pages = [jobs.page(size=4)]
    while after := pages[-1].after or pages[-1].looked_to:
        pages.append(jobs.page(after=after, size=4))

    found = [pk for page in pages for pk in ids(page)]
    assert len(found) == len(set(found)) == len(mine) + (kind is None)
    assert set(mine) <= set(found)
    for earlier, later in pairwise(pages):
        assert ids(jobs.page(before=later.before, size=4)) == ids(earlier)


@pytest.mark.parametrize("state", [None, State.READY, State.SCHEDULED, State.DEAD])
def test_a_look_for_a_kind_passes_five_others_for_each_that_it_may_look_at(
    state: State | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_list, "LOOK", 2)
    monkeypatch.setattr(order, "SKIMMED", 4)
    monkeypatch.setattr(endings, "LARGEST", 4)
    one = state or State.READY
    for number in range(30):
        kind = "app.rare" if number == 15 else "app.noop"
        moment = NOON - (30 - number) * MINUTE
        ended = {"finished_at": moment} if one is State.DEAD else {}
        stored_job(state=one, kind=kind, run_at=moment, **ended)
    jobs = listed(*[state] if state else [], kind="app.rare")
    looks = [jobs.page()]
    while looks[-1].looked_to:
        looks.append(jobs.page(after=looks[-1].looked_to))

    assert not looks[0].jobs
    assert 5 <= looks[0].looked <= 16
    assert not looks[0].is_all
    assert [job.kind for page in looks for job in page.jobs] == ["app.rare"]


def test_finished_jobs_of_all_queues_are_listed_the_last_one_first() -> None:
    moments = {"default": 1, "other": 3, "images": 2}
    jobs = {
        queue: finished_job(queue=queue, finished_at=NOON + minutes * MINUTE)
        for queue, minutes in moments.items()
    }

    assert ids(listed(State.DEAD).page()) == [jobs[q].pk for q in ("other", "images", "default")]


def test_the_longest_running_job_comes_first() -> None:
    process = process_named("here")
    new = stored_job(state=State.RUNNING, process=process, started_at=NOON)
    old = stored_job(state=State.RUNNING, process=process, started_at=NOON - MINUTE)

    assert ids(listed(State.RUNNING).page()) == [old.pk, new.pk]


def test_no_job_is_shown_twice_or_missed_while_others_come_and_go() -> None:
    jobs = [stored_job() for _ in range(6)]
    first = listed().page(size=2)
    stored_job()
    gone = jobs[4].pk
    jobs[4].delete()
    second = listed().page(after=first.after, size=2)

    assert ids(first) == [jobs[5].pk, gone]
    assert ids(second) == [jobs[3].pk, jobs[2].pk]


@pytest.mark.parametrize("state", list(State))
def test_a_place_can_be_written_into_an_address_and_read_again(state: State) -> None:
    columns = {"concurrency_key": "a, b,c", "concurrency_limit": 1}
    if state == State.BLOCKED:
        stored_job(state=state, **columns)
    else:
        stored_in(state, 1)
    order = listed(state).order
    (step,) = listed(state).walk(start=None, is_backward=False)

    assert order.read(order.written(step.place)) == step.place


@pytest.mark.parametrize("written", ["", "x", "1,2", "9" * 30, "٣x"])
def test_what_is_no_place_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        listed().order.read(written)


@pytest.mark.parametrize("state", [None, *State])
def test_the_queue_narrows_every_list(state: State | None) -> None:
    jobs = [stored_in(state or State.READY, number) for number in range(6)]
    mine = {job.pk for job in jobs if job.queue == "other"}

    found = all_pages(listed(*[state] if state else [], queue="other"), size=1)

    assert set(found) == mine
    assert len(found) == 2


def test_kinds_are_exact_or_a_beginning() -> None:
    jobs = [stored_job(kind=kind) for kind in ("app.a", "app.b", "App.a", "appxa")]

    assert ids(listed(kind="app.a").page()) == [jobs[0].pk]
    assert ids(listed(kind="app.*").page()) == [jobs[1].pk, jobs[0].pk]
    assert ids(listed(kind="*").page()) == [job.pk for job in reversed(jobs)]


@pytest.mark.parametrize("text", ["needle", 'say "hi"', "Zürich 🦊", "a\\b", "%_"])
def test_text_is_found_in_the_payload_and_in_the_error(text: str) -> None:
    in_payload = stored_job(payload={"deep": [{"words": f"--{text}--"}]})
    in_error = finished_job(last_error=f"oh: {text}!")
    stored_job(payload={"words": "nothing"})

    assert ids(listed(text=text).page()) == [in_error.pk, in_payload.pk]


def test_unfinished_jobs_are_as_old_as_their_enqueue_and_finished_ones_as_their_end() -> None:
    stored_job(enqueued_at=NOON - 9 * MINUTE)
    young = stored_job(enqueued_at=NOON - MINUTE)
    finished_job(finished_at=NOON - 9 * MINUTE, enqueued_at=NOON)
    over = finished_job(finished_at=NOON - MINUTE, enqueued_at=NOON - 9 * MINUTE)

    assert ids(listed(State.READY, since=NOON - 5 * MINUTE).page()) == [young.pk]
    assert ids(listed(State.DEAD, since=NOON - 5 * MINUTE).page()) == [over.pk]
    assert ids(listed(State.DEAD, until=NOON - MINUTE).page()) != [over.pk]


def test_a_look_ends_after_so_many_jobs_and_can_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_list, "LOOK", 4)
    jobs = [stored_job(last_error="rare" if number < 2 else "") for number in range(10)]

    page = listed(text="rare").page()
    assert ids(page) == []
    assert page.looked_to == (jobs[6].pk,)
    page = listed(text="rare").page(after=page.looked_to)
    assert page.looked_to == (jobs[2].pk,)
    page = listed(text="rare").page(after=page.looked_to)
    assert ids(page) == [jobs[1].pk, jobs[0].pk]
    assert page.looked_to is None


def test_a_look_that_ends_at_the_last_job_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_list, "LOOK", 3)
    for _ in range(3):
        stored_job()

    page = listed(text="rare").page()
    assert page.looked_to is None
    assert page.is_all


def test_the_first_page_counts_what_it_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_list, "LOOK", 5)
    for _ in range(8):
        stored_job(last_error="mine")

    page = listed(text="mine").page(size=2)
    assert (len(page.jobs), page.matched, page.is_all) == (2, 5, False)
    assert listed(text="mine").page(after=page.after, size=2).matched is None


def test_a_job_is_found_by_its_number() -> None:
    job = stored_job()
    stored_job()

    assert ids(listed(ids=[job.pk]).page()) == [job.pk]
    assert ids(listed(State.DEAD, ids=[job.pk]).page()) == []
    unknown = Job.objects.aggregate(last=Max("pk"))["last"] + 1
    assert ids(listed(ids=[unknown]).page()) == []


def test_a_page_for_programs_looks_no_further_than_until_it_is_full() -> None:
    JobLabel.objects.put(
        [(stored_job(payload={"mine": 1}).pk, ["b", "a"]) for _ in range(3)],
    )
    jobs = listed(text="mine")
    page = jobs.bare_page(size=2)

    assert ids(page) == ids(jobs.page(size=2))
    assert (page.matched, jobs.page(size=2).matched) == (None, 3)
    assert (page.after, page.before, page.looked_to) == (jobs.page(size=2).after, None, None)
    assert [json.loads(job.labels_text) for job in page.jobs] == [["b", "a"]] * 2  # type: ignore[attr-defined] # annotated


def test_a_page_fetches_no_more_places_than_it_shows() -> None:
    for _ in range(4):
        finished_job(State.DEAD)
    for jobs in (listed(State.DEAD), listed(State.DEAD, queue="default"), listed()):
        with CaptureQueriesContext(connection) as queries:
            assert len(jobs.bare_page(size=2).jobs) == 2
        assert [query for query in queries.captured_queries if query["sql"].endswith("LIMIT 3")]
