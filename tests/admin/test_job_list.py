"""The list of jobs in the admin: filters, pages, totals, and what nobody may smuggle in."""

import json
import re
from datetime import UTC, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from forge_jobs import clock, job
from forge_jobs.clock import ManualClock
from forge_jobs.dashboard import job_count, job_list, totals
from forge_jobs.models import Job, JobLabel, JobTotal, State
from forge_jobs.states import TERMINAL
from tests.admin.pages import LIST, job_page, links, listed, listing, text_of
from tests.admin.people import browser
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
EVIL = "<script>alert(1)</script>"


def stored_in(state: State) -> Job:
    if state in (State.SUCCEEDED, State.DEAD, State.CANCELLED):
        return finished_job(state)
    if state == State.RUNNING:
        return stored_job(state=state, process=process_named("here"), started_at=NOON)
    return stored_job(state=state)


@pytest.mark.parametrize("state", list(State))
def test_a_state_shows_its_jobs_and_no_others(viewer: Client, state: State) -> None:
    jobs = {state: stored_in(state) for state in State}

    assert listed(viewer, state=state) == [jobs[state].pk]
    assert listed(viewer) == sorted((job.pk for job in jobs.values()), reverse=True)


def test_queue_kind_and_text_narrow_the_list(viewer: Client) -> None:
    jobs = [
        stored_job(queue="other", kind="app.mail", payload={"to": "ada"}),
        finished_job(queue="other", kind="app.print", last_error="ada refused"),
        stored_job(queue="default", kind="app.mail"),
    ]

    assert listed(viewer, queue="other") == [jobs[1].pk, jobs[0].pk]
    assert listed(viewer, kind="app.mail") == [jobs[2].pk, jobs[0].pk]
    assert listed(viewer, kind="app.*", q="ada") == [jobs[1].pk, jobs[0].pk]
    assert listed(viewer, queue="other", kind="app.mail", state="ready") == [jobs[0].pk]
    assert listed(viewer, q=f"#{jobs[2].pk}") == [jobs[2].pk]
    assert listed(viewer, q="#999999999") == []


def test_a_label_narrows_the_list_and_leads_to_its_jobs(viewer: Client) -> None:
    jobs = [stored_job(), finished_job(), stored_job()]
    JobLabel.objects.put([(jobs[0].pk, ["a & b", EVIL]), (jobs[1].pk, ["a & b"])])

    assert listed(viewer, label="a & b") == [jobs[1].pk, jobs[0].pk]
    assert listed(viewer, label="a & b", state="ready") == [jobs[0].pk]
    assert listed(viewer, label=EVIL) == [jobs[0].pk]
    assert listed(viewer, label="a") == []
    assert listed(viewer, label="\0") == []
    html = viewer.get(LIST).content.decode()
    assert EVIL not in html
    assert html.count("?label=a%20%26%20b") == 2
    assert "2 jobs" in listing(viewer, label="a & b")


def test_ages_and_moments_bound_the_list(viewer: Client, manual_clock: ManualClock) -> None:
    old, new = (stored_job(enqueued_at=NOON - hours * HOUR) for hours in (30, 2))

    assert listed(viewer, since="24h") == [new.pk]
    assert listed(viewer, until="1d") == [old.pk]
    assert listed(viewer, since="90m") == []
    with timezone.override(UTC):
        assert listed(viewer, since="2026-03-02") == [new.pk]
        assert listed(viewer, since="2026-03-01 05:00", until="2026-03-01 07:00") == [old.pk]
    assert listed(viewer, since="2026-03-02T09:59:00+00:00") == [new.pk]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"state": "asleep"}, "State: Select a valid choice. asleep"),
        ({"queue": "nowhere"}, "Queue: Select a valid choice. nowhere"),
        ({"kind": "k" * 300}, "Kind: Ensure this value has at most 201 characters"),
        ({"since": "yesterday"}, "Since: “yesterday” is neither an age"),
        ({"until": "2026-13-45"}, "Until: “2026-13-45” is neither an age"),
        ({"since": "999999d"}, "Since: “999999d” is neither an age"),
        ({"until": "9999-99-99 99:99"}, "Until: “9999-99-99 99:99” is neither an age"),
        ({"q": "a\x00b"}, "Text: Null characters are not allowed"),
        ({"after": "elsewhere"}, "after: “elsewhere” is no place in this list."),
        ({"before": "1,2,3", "state": "dead"}, "before: “1,2,3” is no place in this list."),
        ({"after": "2026-01-01,5", "state": "dead"}, "after: “2026-01-01,5” is no place"),
        ({"since": "0001-01-01T00:00+23:59"}, "Since: “0001-01-01T00:00+23:59” is neither an age"),
        ({"until": "9999-12-31T23:59-23:59"}, "Until: “9999-12-31T23:59-23:59” is neither an age"),
        ({"after": "0001-01-01T00:00+23:59,1", "state": "dead"}, "+23:59,1” is no place"),
        ({"after": "a\x00,2026-01-01T00:00+00:00,1", "state": "blocked"}, "+00:00,1” is no place"),
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_told_by_its_name(
    viewer: Client, parameters: dict[str, str], told: str
) -> None:
    stored_job()

    assert told in listing(viewer, **parameters)
    assert listed(viewer, **parameters) == []


def test_ids_are_numbers_that_can_be_sent_back_whatever_numbers_look_like(
    operator: Client, settings: Settings
) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    settings.LANGUAGE_CODE = "de"
    process = process_named("here")
    row = stored_job(pk=1_234_567, state=State.RUNNING, process=process, started_at=NOON)

    page = operator.get(LIST).content.decode()
    assert f'name="_selected_action" value="{row.pk}"' in page
    assert f"{row.kind} #{row.pk}" in listing(operator)
    assert f"{row.kind} #{row.pk}" in job_page(operator, row.pk)


def test_the_pages_lead_to_each_other(viewer: Client) -> None:
    jobs = [stored_job().pk for _ in range(job_list.PAGE + 10)][::-1]
    first = viewer.get(LIST, {"kind": "app.noop"}).content.decode()
    (older,) = links(first, "Next")
    second = viewer.get(LIST + older).content.decode()
    (newer,) = links(second, "Previous")

    assert "kind=app.noop" in older
    assert links(first, "Previous") == links(second, "Next") == []
    assert listed(viewer) == jobs[: job_list.PAGE]
    assert f'data-key="{jobs[-1]}"' in second
    assert f'data-key="{jobs[0]}"' in viewer.get(LIST + newer).content.decode()


def test_a_look_that_found_too_little_says_how_far_it_went(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_list, "LOOK", 3)
    rare = stored_job(last_error="rare")
    jobs = [stored_job() for _ in range(4)]

    html = viewer.get(LIST, {"q": "rare"}).content.decode()
    assert f"Looked through the jobs down to #{jobs[1].pk}." in html
    (further,) = links(html, "Look further")
    assert f'data-key="{rare.pk}"' in viewer.get(LIST + further).content.decode()


def test_totals_are_what_the_database_says(viewer: Client) -> None:
    for state in (State.READY, State.DEAD, State.DEAD):
        stored_in(state)
    stored_job(queue="other")

    assert "All 4 " in listing(viewer)
    assert "Dead 2 " in listing(viewer).replace("dead 2", "Dead 2")
    assert "2 jobs" in listing(viewer, state="dead")
    assert "1 job " in listing(viewer, state="ready", queue="other")
    assert "All 1 " in listing(viewer, queue="other")


def test_a_large_total_is_the_census_s_and_says_how_old_it_is(
    viewer: Client, manual_clock: ManualClock
) -> None:
    JobTotal.objects.retake({("default", "dead"): 1_234_567}, now=NOON - MINUTE)
    assert totals.FEW < 1_234_567

    assert "1,234,567 jobs, counted 1 min 0 s ago" in listing(viewer, state="dead")


def test_what_must_be_looked_at_is_counted_up_to_a_bound(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_list, "LOOK", 3)
    monkeypatch.setattr(job_count, "BOUND", 3)
    for _ in range(5):
        finished_job(finished_at=clock.now(), last_error="no")

    assert "3 found among the first 3 jobs" in listing(viewer, q="no")
    assert "more than 3 jobs" in listing(viewer, state="dead", since="1h")
    monkeypatch.setattr(job_count, "BOUND", 5)
    assert "5 jobs" in listing(viewer, state="dead", since="1h")


def test_that_none_was_found_is_said_once(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_list, "LOOK", 3)
    for _ in range(5):
        finished_job(finished_at=clock.now(), last_error="no")

    page = listing(viewer, q="yes")

    assert "None of the 3 jobs that were looked through fits." in page
    assert "found among" not in page


def test_jobs_of_a_kind_are_counted_up_to_a_bound(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_list, "PAGE", 2)
    for state in (State.READY, State.SCHEDULED, *TERMINAL):
        stored_in(state)

    assert "5 jobs" in listing(viewer, kind="app.noop")
    monkeypatch.setattr(job_list, "COUNTED", 3)
    monkeypatch.setattr(job_count, "COUNTED", 3)
    assert "more than 3 jobs" in listing(viewer, kind="app.*")
    assert "1 job " in listing(viewer, kind="app.*", state="dead")


def test_a_row_tells_what_suits_its_state(viewer: Client, manual_clock: ManualClock) -> None:
    process = process_named("here")
    stored_job(state=State.SCHEDULED, run_at=NOON + HOUR, enqueued_at=NOON)
    stored_job(
        state=State.RUNNING, process=process, started_at=NOON - MINUTE, attempt=2, max_attempts=5
    )
    finished_job(
        started_at=NOON - 2 * MINUTE,
        finished_at=NOON - MINUTE,
        last_error="No.\nReally.",
        priority=3,
    )

    assert "due in 1 h 0 min" in listing(viewer, state="scheduled")
    assert "2 of 5 started 1 min 0 s ago 1 min 0 s" in listing(viewer, state="running")
    told = listing(viewer, state="dead")
    assert "No. default +3" in told
    assert "Really" not in told
    assert "finished 1 min 0 s ago 1 min 0 s" in told


def test_progress_is_shown_where_there_is_some(viewer: Client) -> None:
    told = {"done": 3, "total": 12, "message": "rows"}
    stored_job(state=State.RUNNING, process=process_named("here"), started_at=NOON, progress=told)

    html = viewer.get(LIST).content.decode()
    assert '<progress max="100" value="25"' in html
    assert "25 %" in html


@pytest.mark.parametrize(
    "progress",
    [
        None,
        [],
        "x",
        {},
        {"done": "a", "total": None},
        {"done": 5, "total": 0},
        {"total": -1},
        {"done": 10**400, "total": 10**400},
    ],
    ids=lambda progress: str(progress)[:40],
)
def test_odd_progress_does_no_harm(viewer: Client, progress: object) -> None:
    columns = {"process": process_named("here"), "started_at": NOON, "progress": progress}
    running = stored_job(state=State.RUNNING, **columns)

    assert listed(viewer) == [running.pk]
    assert viewer.get(f"{LIST}{running.pk}/change/").status_code == 200


def test_markup_in_jobs_is_shown_as_text(viewer: Client) -> None:
    finished_job(kind=EVIL, queue="other", last_error=EVIL, payload={EVIL: EVIL})

    for parameters in ({}, {"q": EVIL}, {"kind": EVIL}, {"kind": "<*"}, {"since": EVIL}):
        html = viewer.get(LIST, parameters).content.decode()
        assert EVIL not in html
    assert EVIL in listing(viewer)


def test_known_kinds_are_offered(viewer: Client) -> None:
    job(kind="app.known")(lambda: None)

    assert '<option value="app.known">' in viewer.get(LIST).content.decode()


def test_the_script_gets_the_live_parts_alone(viewer: Client) -> None:
    found = stored_job()

    response = viewer.get(LIST, headers={"accept": "application/json"})
    html = json.loads(response.content)["html"]
    assert f'<tr data-key="{found.pk}" ' in html
    assert "<html" not in html
    assert 'data-live="states"' in html


def test_a_state_is_chosen_in_one_place(viewer: Client) -> None:
    html = viewer.get(LIST, {"state": "dead"}).content.decode()

    assert re.findall(r'<a href="\?state=dead"[^>]*>', html) == [
        '<a href="?state=dead" data-state="dead" aria-current="true">'
    ]


def test_no_page_is_empty_without_a_word(viewer: Client) -> None:
    assert "There are no jobs yet." in listing(viewer)
    assert "No job fits the filter." in listing(viewer, state="dead")


def test_a_row_tells_its_payload_in_short(viewer: Client, settings: Settings) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "REDACT": ["token"]}
    stored_job(payload={"picture_id": 658, "token": "s3cret"})

    html = viewer.get(LIST).content.decode()
    (told,) = re.findall(r'class="mc-payload">([^<]*)<', html)
    assert sorted(told.split()) == ["picture_id=658", "token=•••"]
    assert "s3cret" not in html


def test_dead_jobs_are_told_by_kind_and_error_each_with_a_button_for_all(operator: Client) -> None:
    for error in ("KeyError: 'a'", "KeyError: 'a'", "ValueError: bad & ugly"):
        finished_job(last_error=error, finished_at=clock.now())
    finished_job(queue="other", last_error="KeyError: 'a'", finished_at=clock.now())

    html = operator.get(LIST, {"state": "dead"}).content.decode()
    first, second = re.findall(r'formaction="([^"]*)" name="all" value="requeue"', html)
    assert unescape(second) == "?state=dead&kind=app.noop&error=ValueError%3A+bad+%26+ugly"
    question = operator.post(LIST + unescape(first), {"all": "requeue"})
    assert "Requeue 3 jobs?" in text_of(question)
    assert "state dead, kind app.noop, error KeyError: 'a'" in text_of(question)
    done = {"confirmed": "1", "action": "requeue", "select_across": "1"}
    operator.post(LIST + unescape(first), done)
    assert Job.objects.filter(state=State.READY).count() == 3


def test_groups_are_for_dead_jobs_of_more_than_one_kind_or_error(viewer: Client) -> None:
    for error in ("KeyError: 'a'", "ValueError: bad"):
        finished_job(last_error=error)
        finished_job(State.CANCELLED, last_error=error)

    dead = listing(viewer, state="dead")
    assert "By kind and error" in dead
    assert "Requeue all" not in dead  # who may only look
    for narrowed in ({"state": "cancelled"}, {}, {"state": "dead", "error": "ValueError: bad"}):
        assert "By kind and error" not in listing(viewer, **narrowed)


def test_jobs_that_say_nothing_have_no_button_which_would_mean_all_of_their_kind() -> None:
    for error in ("", "KeyError: 'a'"):
        finished_job(last_error=error)

    answer = browser("view_job", "retry_job").get(LIST, {"state": "dead"})
    dead = answer.content.decode()
    assert "no message" in dead
    assert dead.count('name="all" value="requeue"') == 1
    assert "error=KeyError" in dead


def test_the_first_line_of_an_error_narrows_the_list(viewer: Client) -> None:
    jobs = [finished_job(last_error=error) for error in ("E: 1\nmore", "E: 1", "E: 12", "F: 1")]

    assert set(listed(viewer, state="dead", error="E: 1")) == {jobs[0].pk, jobs[1].pk}
    assert set(listed(viewer, state="dead", error="E: 1*")) == {job.pk for job in jobs[:3]}


def test_only_what_suits_a_state_can_be_done_to_many(operator: Client) -> None:
    finished_job()
    html = operator.get(LIST, {"state": "dead"}).content.decode()

    found = re.findall(r'name="action" value="(\w+)"', html)
    assert found == ["requeue", "delete"]
