"""Everything goes to the job database, whatever a project's router says."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import models
from pytest_django import Settings

from forge_jobs import enqueue, enqueue_many, job
from forge_jobs.budgets import Budget
from forge_jobs.enqueueing.enqueue import NewJob
from forge_jobs.models import (
    ApiToken,
    Job,
    JobLabel,
    Lease,
    Process,
    ProcessState,
    Queue,
    RateLimitBudget,
    Schedule,
    Share,
    State,
)
from forge_jobs.models.base import JobsManager, JobsModel
from tests.admin.people import filled, operator
from tests.api.callers import superuser, token_of
from tests.astray import READ, led_astray
from tests.conftest import NOON
from tests.factories import process_named
from tests.planned import planned_schedule
from tests.rows import finished_job, stored_job
from tests.running import drain

ADMIN = "/admin/forge_jobs"
LIFE = timedelta(seconds=10)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _astray(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with led_astray(settings, monkeypatch):
        yield


def running_job() -> Job:
    return stored_job(state=State.RUNNING, process_id=process_named("here").pk, started_at=NOON)


@pytest.mark.parametrize("model", [*apps.get_app_config("forge_jobs").get_models()])
def test_every_table_is_of_the_job_database(model: type[models.Model]) -> None:
    assert issubclass(model, JobsModel)
    assert isinstance(model._base_manager, JobsManager)
    assert isinstance(model._default_manager, JobsManager)
    assert model._base_manager.all().db == model._default_manager.all().db == "default"
    assert model._base_manager.db == model._default_manager.db == "default"


def test_labels_of_jobs_that_are_gone_are_cleared_away() -> None:
    JobLabel.objects.put([(404, ["gone"])])

    assert JobLabel.objects.prune(after=0, limit=10) == (1, None)


def test_it_is_written_down_when_a_token_was_used() -> None:
    token, _ = token_of(superuser())
    ApiToken.objects.note_use(token, now=NOON)

    token.refresh_from_db()
    assert token.last_used_at == NOON


@pytest.mark.parametrize(
    ("row", "verb", "state"),
    [
        (stored_job, Job.cancel, State.CANCELLED),
        (running_job, Job.kill, State.RUNNING),
        (finished_job, Job.requeue, State.READY),
        (lambda: stored_job(state=State.SCHEDULED), Job.run_now, State.READY),
    ],
    ids=["cancel", "kill", "requeue", "run now"],
)
def test_a_job_can_be_steered(
    row: Callable[[], Job], verb: Callable[[Job], bool], state: State
) -> None:
    steered = row()

    assert verb(steered)
    assert steered.state == state
    assert steered.is_to_be_killed == (verb is Job.kill)
    assert not verb(steered)


def test_a_job_that_was_loaded_from_elsewhere_is_steered_where_jobs_are() -> None:
    stale = stored_job()
    stale._state.db = READ

    assert stale.cancel()
    assert (stale.state, stale._state.db) == (State.CANCELLED, "default")


def test_rows_are_stored_refreshed_and_deleted() -> None:
    row = Schedule(name="nightly", kind="app.noop", expression="@daily")
    row.full_clean()
    row.save()
    Schedule.objects.update(expression="@hourly")
    row.refresh_from_db()

    assert row.expression == "@hourly"
    assert Schedule.objects.get_or_create(name="nightly") == (row, False)
    assert Schedule.objects.update_or_create(name="nightly", defaults={"kind": "x"})[1] is False
    assert row.delete()[0] == 1


def test_a_row_that_is_deferred_in_part_loads_the_rest() -> None:
    stored_job(payload={"a": 1})

    assert Job.objects.defer("payload").get().payload == {"a": 1}


def test_related_rows_are_found_both_ways() -> None:
    schedule, process = planned_schedule(), process_named("here")
    ours = stored_job(schedule_id=schedule.pk, state=State.RUNNING, process_id=process.pk)
    job = Job.objects.get(pk=ours.pk)

    assert (job.schedule, job.process) == (schedule, process)
    assert (list(schedule.jobs.all()), list(process.jobs.running())) == ([job], [job])
    assert list(Job.objects.select_related("schedule", "process")) == [job]
    assert Process.objects.prefetch_related("jobs").get().jobs.count() == 1


def test_schedules_are_enabled_disabled_and_triggered() -> None:
    row = planned_schedule(is_enabled=False)

    assert row.enable()
    assert row.is_enabled
    assert row.disable()
    assert not row.is_enabled
    made = row.trigger()
    assert made is not None
    assert made.schedule == row


def test_queues_budgets_and_processes_are_steered() -> None:
    Queue.objects.sow({"default": {}})
    RateLimitBudget.objects.sow({"mail": {"capacity": 2.0, "refill_per_second": 1.0}})
    process = process_named("here")

    assert Queue.objects.pause("default")
    assert Queue.objects.resume("default")
    assert Queue.objects.retune("default", max_workers=2)
    assert RateLimitBudget.objects.resize("mail", capacity=1)
    assert RateLimitBudget.objects.refill("mail")
    assert Budget("mail").try_acquire()
    assert Process.objects.filter(pk=process.pk).make_quiet()
    assert Process.objects.filter(pk=process.pk).stop()
    process.refresh_from_db()
    assert process.requested_state == ProcessState.STOPPING
    assert Lease.objects.take("x", process=process, now=NOON, life=LIFE)
    terms = Share.objects.settle(
        "default", process=process, wanted=1, claims=True, limit_to=lambda slots: 0, now=NOON
    )
    assert terms == (2, 2, 2)


@pytest.mark.django_db(transaction=True)
def test_jobs_are_enqueued_and_run() -> None:
    @job(kind="tests.echo", atomic=True)
    def echo(number: int) -> int:
        return number

    one = enqueue(echo, {"number": 1}, dedupe_key="one")
    assert enqueue(echo, {"number": 2}, dedupe_key="one").was_deduplicated
    many = enqueue_many([NewJob(echo, {"number": 3}), NewJob(echo, {"number": 4})])
    drain()

    one.refresh_from_db()
    assert (one.state, one.result) == (State.SUCCEEDED, 1)
    assert len(list(many)) == 2
    assert Job.objects.finished().count() == 3


@pytest.mark.parametrize(
    "words",
    ["status", "show {dead}", "enqueue app.noop", "retry {dead} --yes", "cancel {ready} --yes",
     "purge {dead} --yes", "queue default --pause", "schedule list", "schedule disable nightly",
     "schedule trigger nightly", "schedule remove nightly",
     "schedule add weekly app.noop @weekly"],
)  # fmt: skip
def test_the_command_steers(words: str) -> None:
    dead, ready = finished_job(), stored_job()
    planned_schedule(name="nightly")

    words = words.format(dead=dead.pk, ready=ready.pk)
    call_command("jobs", *words.split(), stdout=StringIO(), stderr=StringIO())


@pytest.mark.parametrize(
    "page",
    ["missioncontrol", "job", "queue", "process", "schedule", "ratelimitbudget",
     "missioncontrol/health", "schedule/add", "ratelimitbudget/add", "job/{job}/change",
     "job/{job}/history", "schedule/{schedule}/change", "schedule/{schedule}/delete",
     "queue/{queue}/change", "ratelimitbudget/{budget}/change",
     "ratelimitbudget/{budget}/delete"],
)  # fmt: skip
def test_every_page_of_the_admin_is_there(page: str) -> None:
    Queue.objects.sow({"default": {}})
    RateLimitBudget.objects.sow({"spare": {"capacity": 2.0, "refill_per_second": 1.0}})
    rows = {
        "job": finished_job(schedule_id=planned_schedule().pk),
        "schedule": Schedule.objects.get(),
        "queue": Queue.objects.get(),
        "budget": RateLimitBudget.objects.get(),
    }
    process_named("here")
    path = page.format(**{name: row.pk for name, row in rows.items()})

    assert operator().get(f"{ADMIN}/{path}/").status_code == 200


@pytest.mark.parametrize(
    ("act", "row"),
    [
        ("job/requeue-job", finished_job),
        ("job/run-job-now", lambda: stored_job(state=State.SCHEDULED)),
        ("job/cancel-job", stored_job),
        ("job/kill-job", running_job),
        ("job/delete-job", finished_job),
        ("schedule/trigger-schedule", planned_schedule),
        ("schedule/disable-schedule", planned_schedule),
        ("schedule/enable-schedule", lambda: planned_schedule(is_enabled=False)),
        ("process/quiet-process", lambda: process_named("here")),
        ("process/stop-process", lambda: process_named("here")),
    ],
)
def test_every_button_of_the_admin_does_what_it_says(act: str, row: Callable[[], Any]) -> None:
    response = operator().post(f"{ADMIN}/{act}/{row().pk}/", follow=True)

    told = next(iter(response.context["messages"]))
    assert (response.status_code, told.level_tag) == (200, "success")


@pytest.mark.parametrize("table", ["queue", "schedule", "ratelimitbudget"])
def test_every_form_of_the_admin_is_stored(table: str) -> None:
    Queue.objects.sow({"default": {}})
    RateLimitBudget.objects.sow({"spare": {"capacity": 2.0, "refill_per_second": 1.0}})
    planned_schedule()
    model: Any = apps.get_model("forge_jobs", table)
    changes = {"queue": "max_workers", "schedule": "max_attempts", "ratelimitbudget": "capacity"}
    client, path = operator(), f"{ADMIN}/{table}/{model.objects.get().pk}/change/"

    response = client.post(path, filled(client, path, **{changes[table]: "7"}))
    assert response.status_code == 302
    assert getattr(model.objects.get(), changes[table]) == 7


def test_a_row_can_be_deleted_in_the_admin() -> None:
    row = planned_schedule()

    operator().post(f"{ADMIN}/schedule/{row.pk}/delete/", {"post": "yes"})
    assert not Schedule.objects.exists()


def test_jobs_are_steered_in_bulk() -> None:
    ready = stored_job()
    posted = {"action": "cancel", "_selected_action": ready.pk, "confirmed": "1"}

    assert operator().post(f"{ADMIN}/job/", posted).status_code == 302
    assert Job.objects.get().state == State.CANCELLED


def test_the_checks_look_at_the_job_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 53, 0))

    found = [message.id or "" for message in run_checks(databases=["default"])]

    assert [name for name in found if name.startswith("forge_jobs.")] == []
