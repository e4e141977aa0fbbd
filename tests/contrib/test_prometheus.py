"""A scrape tells the truth of the whole cluster, within bounds, to those who may ask."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.urls import path
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openly
from prometheus_client.parser import text_string_to_metric_families as parsed
from pytest_django import Settings

from forge_jobs.conf import conf
from forge_jobs.contrib.prometheus import fleet, metrics
from forge_jobs.models import (
    Batch,
    ChildRestart,
    Lease,
    MetricSample,
    ProcessState,
    Queue,
    RateLimitBudget,
    State,
)
from forge_jobs.models.lease import SERVICES
from forge_jobs.models.metric_total import MOST
from forge_jobs.services.census import Census
from forge_jobs.services.meter import Meter
from tests.conftest import NOON
from tests.factories import process_named
from tests.measured import histogram, sample
from tests.planned import planned_schedule
from tests.plans import walks
from tests.rows import claim, finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock", "_open")]

urlpatterns = [path("jobs/metrics", metrics)]

URL = "/jobs/metrics"
TOKEN = "a-token-of-the-tests"
FACTS = ("late_seconds", "failing")
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")

Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
def _open(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.FORGE_JOBS = {**django_settings.FORGE_JOBS, "METRICS_TOKEN": TOKEN}


def ask(given: str = f"Bearer {TOKEN}", **headers: str) -> Any:
    return Client().get(URL, headers={"authorization": given, **headers})


def scrape() -> dict[Sample, float]:
    """All that is told, by name and labels."""
    answer = ask()
    assert answer.status_code == 200, answer.content
    families = parsed(answer.content.decode())
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in families
        for one in family.samples
    }


def told(name: str, **labels: str) -> float:
    return scrape()["forge_jobs_" + name, frozenset(labels.items())]


def all_told(name: str, label: str) -> Mapping[str, float]:
    return {
        dict(labels)[label]: value
        for (each, labels), value in scrape().items()
        if each == "forge_jobs_" + name
    }


class TestAccess:
    def test_the_token_opens(self) -> None:
        assert ask().status_code == 200
        assert ask(f"bearer  {TOKEN} ").status_code == 200

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "Bearer",
            "Bearer ",
            TOKEN,
            f"Basic {TOKEN}",
            f"Bearer {TOKEN}x",
            f"Bearer {TOKEN[:-1]}",
            "Bearer None",
            "Bearer \xe9\xe9",
        ],
    )
    def test_nothing_else_does_and_nothing_is_told(self, given: str) -> None:
        answer = ask(given)

        assert (answer.status_code, answer["WWW-Authenticate"][:6]) == (401, "Bearer")
        assert b"forge_jobs" not in answer.content

    @pytest.mark.parametrize("given", ["", "Bearer ", "Bearer None"])
    def test_it_is_closed_unless_a_token_is_set(self, settings: Settings, given: str) -> None:
        settings.FORGE_JOBS = {}

        assert ask(given).status_code == 401

    def test_a_token_in_the_address_is_none(self) -> None:
        assert Client().get(f"{URL}?token={TOKEN}").status_code == 401

    def test_whoever_may_see_jobs_may_look_with_a_browser(self) -> None:
        user, client = User.objects.create_user("olga", is_staff=True), Client()
        client.force_login(user)
        assert client.get(URL).status_code == 403

        user.user_permissions.add(Permission.objects.get(codename="view_job"))
        assert client.get(URL).status_code == 200

    def test_it_can_only_be_read(self) -> None:
        answer = Client().post(URL, headers={"authorization": f"Bearer {TOKEN}"})

        assert answer.status_code == 405

    def test_no_cache_keeps_it(self) -> None:
        assert "no-store" in ask()["Cache-Control"]

    def test_scrapers_are_not_sent_to_log_in(self, settings: Settings) -> None:
        settings.MIDDLEWARE = [
            *settings.MIDDLEWARE,
            "django.contrib.auth.middleware.LoginRequiredMiddleware",
        ]

        assert ask().status_code == 200
        assert ask("").status_code == 401

    def test_a_project_without_users_has_the_token_alone(self, settings: Settings) -> None:
        settings.MIDDLEWARE = []

        assert ask().status_code == 200
        assert ask("").status_code == 401

    @pytest.mark.parametrize("token", ["", "short", 7, f"{TOKEN} ", "\xe9" * 20, f"{TOKEN}\n"])
    def test_a_token_that_is_none_is_refused_and_not_quoted(
        self, settings: Settings, token: object
    ) -> None:
        settings.FORGE_JOBS = {"METRICS_TOKEN": token}
        with pytest.raises(ImproperlyConfigured, match="METRICS_TOKEN") as refused:
            conf()

        assert not token or str(token) not in str(refused.value)

    def test_the_settings_show_no_token(self) -> None:
        assert TOKEN not in repr(conf())


class TestFormat:
    def test_it_is_prometheus_text_unless_openmetrics_is_asked_for(self) -> None:
        assert ask()["Content-Type"].startswith("text/plain; version=0.0.4")
        assert ask(accept=OPENMETRICS)["Content-Type"].startswith("application/openmetrics-text")

    @pytest.mark.parametrize("accept", ["", "*/*", "text/html", ";;,=", "\x00", "x" * 10_000])
    def test_whatever_else_is_asked_for_is_answered(self, accept: str) -> None:
        assert ask(accept=accept)["Content-Type"].startswith("text/plain")

    @pytest.mark.parametrize(
        ("accept", "wanted"),
        [
            (f"{OPENMETRICS};q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "application"),
            ("application/openmetrics-text;version=zero", "application"),
            (f"text/plain,{OPENMETRICS};q=0.5", "text"),
            (f"{OPENMETRICS};q=0,text/plain", "text"),
        ],
    )
    def test_what_is_wanted_most_is_answered(self, accept: str, wanted: str) -> None:
        assert ask(accept=accept)["Content-Type"].split("/")[0] == wanted

    def test_both_formats_say_the_same(self) -> None:
        sample(succeeded=2, seconds=(0.1, 0.2))
        stored_job()
        answer = ask(accept=OPENMETRICS).content.decode()
        openly = {
            (one.name, frozenset(one.labels.items())): one.value
            for family in parsed_openly(answer)
            for one in family.samples
        }

        assert openly == scrape()

    @pytest.mark.parametrize("kind", ['say "hello"', "back\\slash", "ünïcödé", "{a='b'}", "\\n"])
    def test_names_are_told_as_they_are(self, kind: str) -> None:
        sample(kind=kind, succeeded=1)

        assert told("runs_total", queue="default", kind=kind, outcome="succeeded") == 1


class TestWork:
    def test_runs_are_told_by_queue_kind_and_outcome(self) -> None:
        sample(started=5, succeeded=3, retried=1, dead=1, enqueued=4)
        work = {"queue": "default", "kind": "app.noop"}

        assert told("enqueued_total", **work) == 4
        outcomes = {"succeeded": 3, "retried": 1, "dead": 1}
        untold = dict.fromkeys(("cancelled", "throttled", "snoozed", "released"), 0)
        assert all_told("runs_total", "outcome") == outcomes | untold

    def test_run_times_are_a_histogram_of_a_queue_and_kind(self) -> None:
        sample(succeeded=4, seconds=(0.001, 0.1, 0.1, 7_000.0))
        work = {"queue": "default", "kind": "app.noop"}

        assert told("run_time_seconds_count", **work) == 4
        assert told("run_time_seconds_sum", **work) == pytest.approx(7_000.2, rel=0.1)
        buckets = all_told("run_time_seconds_bucket", "le")
        assert [buckets[le] for le in ("0.0032", "0.0512", "0.1024", "0.2048", "3355.4432")] == [
            1, 1, 3, 3, 3,
        ]  # fmt: skip
        assert buckets["+Inf"] == 4

    def test_waits_and_latencies_are_histograms_of_a_queue(self) -> None:
        for kind in ("app.one", "app.two"):
            sample(kind=kind, succeeded=1, wait=histogram(1.0), latency=histogram(2.0))

        assert told("wait_seconds_count", queue="default") == 2
        assert told("latency_seconds_sum", queue="default") == pytest.approx(4, rel=0.1)

    def test_ten_thousand_kinds_make_no_more_series_than_there_is_room_for(self) -> None:
        MetricSample.objects.bulk_create(
            MetricSample(at=NOON, queue="default", kind=f"app.{number}", succeeded=1)
            for number in range(10_000)
        )
        assert len(scrape()) < 1_000
        Meter().run_once(now=NOON + 60 * SECOND)

        assert len(all_told("runs_total", "kind")) == MOST + 1
        assert len(scrape()) < 50 * MOST
        assert told("runs_total", queue="default", kind="other", outcome="succeeded") == 9_900


class TestQueues:
    def test_jobs_are_counted_by_queue_and_state(self) -> None:
        stored_job()
        claim(process_named("here"))
        for state in (State.READY, State.READY, State.SCHEDULED, State.HELD):
            stored_job(state=state)
        finished_job(State.DEAD, queue="other")

        told_of = {
            (dict(labels)["queue"], dict(labels)["state"]): value
            for (name, labels), value in scrape().items()
            if name == "forge_jobs_jobs" and value
        }
        assert told_of == {
            ("default", "ready"): 2,
            ("default", "running"): 1,
            ("default", "scheduled"): 1,
            ("default", "held"): 1,
            ("other", "dead"): 1,
        }
        assert told("count_age_seconds") == 0

    def test_a_queue_is_told_of_before_its_first_job(self) -> None:
        assert told("jobs", queue="images", state="ready") == 0
        assert told("lag_seconds", queue="images") == 0

    def test_the_lag_is_that_of_the_job_that_has_been_ready_for_longest(self) -> None:
        stored_job(run_at=NOON - 90 * SECOND)
        stored_job(run_at=NOON - 10 * SECOND, priority=9)

        assert told("lag_seconds", queue="default") == 90

    def test_slots_are_threads_of_those_who_serve_it_within_its_limit(self) -> None:
        for name in ("a", "b"):
            process_named(name, queues=["default", "other"], threads=8)
        process_named("quiet", queues=["default"], threads=8, state=ProcessState.QUIET)
        Queue.objects.create(name="default")
        Queue.objects.create(name="other", max_workers=3)

        assert all_told("slots", "queue")["default"] == 16
        assert all_told("slots", "queue")["other"] == 3
        assert all_told("slots", "queue")["images"] == 0

    def test_what_keeps_a_queue_from_its_work_is_told(self) -> None:
        Queue.objects.create(name="default", is_paused=True)
        Queue.objects.create(name="other", throttled_until=NOON + 40 * SECOND)

        assert all_told("paused", "queue") == {"default": 1, "other": 0}
        assert all_told("cooling_seconds", "queue") == {"default": 0, "other": 40}

    def test_the_oldest_dead_letter_has_an_age(self) -> None:
        Queue.objects.create(name="default")
        Queue.objects.create(name="other")
        for hours in (2, 1):
            finished_job(State.DEAD, finished_at=NOON - hours * HOUR)
        finished_job(State.SUCCEEDED, finished_at=NOON - 5 * HOUR)

        assert all_told("oldest_dead_seconds", "queue") == {"default": 7_200, "other": 0}

    def test_what_is_not_counted_anew_says_how_old_it_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("forge_jobs.dashboard.totals.FEW", 0)
        stored_job()
        Census().run_once(now=NOON - 20 * SECOND)

        assert told("count_age_seconds") == 20

    @on_sqlite
    def test_no_question_goes_through_all_jobs(self) -> None:
        Queue.objects.create(name="default")
        for state in (State.READY, State.SCHEDULED, State.HELD, State.BLOCKED):
            stored_job(state=state)
        finished_job(State.DEAD)

        assert walks(scrape) == []


class TestFleet:
    def test_processes_are_told_by_state(self) -> None:
        process_named("a", threads=8, running=3)
        process_named("b", threads=4, running=4, abandoned_threads=1, trouble="It is cold.")
        process_named("c", state=ProcessState.QUIET)
        process_named("d", heartbeat_at=NOON - HOUR, threads=8, trouble="It is gone.")

        states = {"running": 2, "quiet": 1, "stopping": 0, "lost": 1}
        assert all_told("processes", "state") == states
        assert (told("threads"), told("threads_busy"), told("threads_abandoned")) == (12, 7, 1)
        assert told("processes_troubled") == 1

    def test_it_tells_whether_anybody_leads(self) -> None:
        assert told("leaders") == 0
        leader = process_named("here")
        Lease.objects.take(SERVICES, process=leader, now=NOON, life=10 * SECOND)

        assert told("leaders") == 1

    def test_restarts_of_children_are_told_by_kind_and_reason(self) -> None:
        ChildRestart.objects.create(kind="app.words", reason="memory", times=3, last_at=NOON)

        assert told("child_restarts_total", kind="app.words", reason="memory") == 3

    def test_budgets_tell_what_is_in_them(self) -> None:
        RateLimitBudget.objects.create(
            name="mail", capacity=20, refill_per_second=0.000001, tokens=5, last_grant=0
        )

        assert told("budget_tokens", budget="mail") == pytest.approx(5, abs=0.1)
        assert told("budget_capacity_tokens", budget="mail") == 20
        assert told("budget_drained_seconds", budget="mail") == 0

    def test_schedules_tell_how_late_they_are_and_whether_they_fail(self) -> None:
        planned_schedule(name="late", next_fire_at=NOON - 50 * SECOND)
        planned_schedule(name="off", next_fire_at=NOON - HOUR, is_enabled=False)
        planned_schedule(name="bad", next_fire_at=NOON + HOUR, last_error="No such queue.")

        late, failing = (all_told(f"schedule_{what}", "schedule") for what in FACTS)
        assert late == {"late": 50, "off": 0, "bad": 0}
        assert failing == {"late": 0, "off": 0, "bad": 1}

    def test_of_very_many_schedules_the_later_ones_are_told_together(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fleet, "MOST_SCHEDULES", 1)
        for number in range(3):
            at = NOON - number * SECOND
            planned_schedule(name=f"number {number}", next_fire_at=at, last_error="Bad.")

        late, failing = (all_told(f"schedule_{what}", "schedule") for what in FACTS)
        assert late == {"number 0": 0, "other": 2}
        assert failing == {"number 0": 1, "other": 2}

    def test_batches_that_have_not_ended_are_told_by_state(self) -> None:
        Batch.objects.create(name="open", opened_at=NOON - 10 * SECOND)
        Batch.objects.create(name="sealed", state="sealed", opened_at=NOON - HOUR)
        Batch.objects.create(name="over", state="failed", ended_at=NOON, opened_at=NOON - 2 * HOUR)

        assert all_told("batches", "state") == {"open": 1, "sealed": 1}
        assert told("oldest_batch_seconds") == 3_600
