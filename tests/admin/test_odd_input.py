"""What somebody may type or store by accident, and the pages that must bear it."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from forge_jobs.models import Job, Queue, RateLimitBudget, Schedule
from tests.admin.people import LIVE, filled, operator
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

SCHEDULE = reverse("admin:forge_jobs_schedule_add")
BUDGET = reverse("admin:forge_jobs_ratelimitbudget_add")
JOBS = reverse("admin:forge_jobs_job_changelist")


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def schedule(client: Client, **changes: str) -> Any:
    usual = {"name": "nightly", "kind": "app.noop", "payload": "{}", "expression": "0 3 * * *"}
    return client.post(SCHEDULE, filled(client, SCHEDULE, **usual | changes))


@pytest.mark.parametrize(
    "payload",
    [
        '{"a": NaN}',
        '{"a": 1e999}',
        f'{{"a": {"9" * 5_000}}}',
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        f'{{"a": {nested(300)}}}',
        f'{{"a": {nested(100_000)}}}',
        '{"a":' * 500 + "1" + "}" * 500,
    ],
    ids=["nan", "infinite", "digits", "nul", "surrogate", "deep", "deepest", "objects"],
)
def test_a_payload_that_cannot_be_stored_is_refused_at_its_field(payload: str) -> None:
    response = schedule(operator(), payload=payload)

    assert response.status_code == 200
    assert response.context["adminform"].form.errors.keys() == {"payload"}
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_moment_without_a_name_in_each_zone_is_refused(day: str) -> None:
    response = schedule(operator(), starts_at=f"{day}T00:00:00")

    assert response.context["adminform"].form.errors.keys() == {"starts_at"}


@pytest.mark.parametrize("number", ["1e-320", "0", "-1", "nan", "1e999", "9" * 400])
@pytest.mark.parametrize("field", ["capacity", "refill_per_second"])
def test_a_budget_is_a_number_that_can_be_reckoned_with(field: str, number: str) -> None:
    client = operator()
    sent = {"name": "slow", "capacity": "1", "refill_per_second": "1", field: number}
    response = client.post(BUDGET, sent)

    assert response.context["adminform"].form.errors.keys() == {field}
    assert not RateLimitBudget.objects.exists()


@pytest.mark.parametrize("back", ["x", "NaN", "a\0b", "//elsewhere.example/", "/" * 9_000])
def test_the_way_back_is_an_address_of_ours_or_the_row(back: str) -> None:
    row = Queue.objects.create(name="default")
    path = reverse("admin:forge_jobs_pause_queue", args=[row.pk])
    response: Any = operator().post(path, {"back": back})

    assert response["Location"] == reverse("admin:forge_jobs_queue_change", args=[row.pk])


def stored_by_sql(job: Job, **columns: str) -> str:
    """As somebody's own SQL may leave it; returns the address of the job's page."""
    with connection.cursor() as cursor:
        for name, text in columns.items():
            cursor.execute(f"UPDATE forge_jobs_job SET {name} = %s WHERE id = %s", [text, job.pk])
    return reverse("admin:forge_jobs_job_change", args=[job.pk])


@pytest.mark.parametrize("levels", [40, 200, 960])
def test_a_job_is_shown_however_deep_its_values_are(levels: int) -> None:
    deep = json.dumps({"deep": 0}).replace("0", nested(levels))
    page = stored_by_sql(finished_job(), payload=deep, result=deep, context=deep)
    client = operator()

    assert client.get(page).status_code == 200
    assert client.get(page, headers=LIVE).status_code == 200
    assert client.get(JOBS).status_code == 200
    requeue = reverse("admin:forge_jobs_requeue_job", args=[Job.objects.values_list("pk")[0][0]])
    assert client.post(requeue).status_code == 302


@pytest.mark.parametrize(
    "payload",
    [
        "[" + ",".join([nested(900)] * 50) + "]",
        json.dumps(list(range(60_000))),
        json.dumps({f"key {number}": number for number in range(20_000)}),
        json.dumps({"text": '"' * 300_000}),
        json.dumps(["x" * 9_000] * 40),
    ],
    ids=["lists", "numbers", "keys", "text", "texts"],
)
def test_a_page_shows_no_more_of_a_value_than_it_can_bear(payload: str) -> None:
    page = operator().get(stored_by_sql(stored_job(), payload=payload))

    assert len(page.content) < 300_000
    assert "…" in page.content.decode()


@pytest.mark.parametrize(
    "errors",
    [
        "null",
        '"text"',
        "[1, null, {}]",
        '[{"at": "yesterday"}]',
        '[{"at": "2026-01-01T00:00:00", "attempt": [1], "message": {"a": 1}}]',
        '[{"at": "0001-01-01T00:00:00+14:00"}]',
    ],
)
def test_a_job_is_shown_whatever_somebody_made_of_its_errors(errors: str) -> None:
    page = stored_by_sql(finished_job(), errors=errors)

    assert operator().get(page).status_code == 200
