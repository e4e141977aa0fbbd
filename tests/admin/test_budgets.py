"""The tab of budgets: what it says, who may do what, and what that changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from pytest_django import Settings

from forge_jobs.db.rows import BudgetLevel
from forge_jobs.models import Queue, RateLimitBudget
from tests.admin.people import LIVE, SHUT_OUT, answers, browser, operator, text
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

LIST = reverse("admin:forge_jobs_ratelimitbudget_changelist")
ADD = reverse("admin:forge_jobs_ratelimitbudget_add")
NASTY = "<script>alert(1)</script>"
SLOWLY = 0.001
"""Tokens a second: none flows in while a test runs."""


def budget(name: str = "slack", **columns: Any) -> RateLimitBudget:
    usual = {"capacity": 10, "refill_per_second": SLOWLY, "tokens": 4}
    row: RateLimitBudget = RateLimitBudget.objects.create(name=name, **usual | columns)
    return row


def level(name: str = "slack") -> BudgetLevel:
    found = RateLimitBudget.objects.level(name)
    assert found
    return found


def button(name: str, row: RateLimitBudget) -> str:
    return reverse(f"admin:forge_jobs_{name}_budget", args=[row.pk])


def view(name: str, row: RateLimitBudget) -> str:
    return reverse(f"admin:forge_jobs_ratelimitbudget_{name}", args=[row.pk])


def test_a_card_says_what_the_database_says() -> None:
    budget(refill_per_second=0.5, tokens=4, capacity=2000)
    Queue.objects.create(name="default", budget="slack")
    Queue.objects.create(name="other", budget="slack")
    for _ in range(3):
        stored_job()
    response = operator().get(LIST)
    (card,) = response.context["cards"]

    assert [(one.queue, one.ready) for one in card.spenders] == [("default", 3), ("other", 0)]
    assert card.level.tokens == pytest.approx(4, abs=3)
    assert "of 2,000 tokens" in text(response)
    assert "0.5 a second: one token every 2 s" in text(response)
    assert "3 jobs wait" in text(response)


def test_a_drained_budget_says_until_when() -> None:
    budget()
    RateLimitBudget.objects.drain("slack", pause=timedelta(hours=1))
    (card,) = operator().get(LIST).context["cards"]

    assert card.tone == "paused"
    assert card.paused_until - card.at == pytest.approx(
        timedelta(hours=1), abs=timedelta(seconds=30)
    )


def test_without_budgets_one_is_told_what_they_are_for() -> None:
    assert "There is no budget." in text(operator().get(LIST))


def test_what_is_stored_is_shown_as_text() -> None:
    row = budget(NASTY)
    Queue.objects.create(name=NASTY, budget=NASTY)
    client = operator()
    for path in (LIST, view("change", row), view("delete", row), button("drain", row)):
        assert NASTY not in text(client.get(path))


def test_a_script_gets_the_live_part_alone() -> None:
    budget()
    html = operator().get(LIST, headers=LIVE).json()["html"]

    assert html.lstrip().startswith('<div data-live="budgets"')


def test_who_may_press_a_button() -> None:
    row = budget()
    expected = SHUT_OUT | {"viewer": (403, 403), "operator": (200, 302)}

    assert (
        answers(
            button("refill", row), viewing="view_ratelimitbudget", needed="drain_ratelimitbudget"
        )
        == expected
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("add", {"viewer": (403, 403), "operator": (200, 200)}),
        ("change", {"viewer": (200, 403), "operator": (200, 200)}),
        ("delete", {"viewer": (403, 403), "operator": (200, 200)}),
    ],
)
def test_who_may_use_a_form(name: str, expected: dict[str, tuple[int, int]]) -> None:
    path = ADD if name == "add" else view(name, budget())
    codes = answers(path, viewing="view_ratelimitbudget", needed=f"{name}_ratelimitbudget")

    assert codes == SHUT_OUT | expected


def test_a_viewer_sees_no_button() -> None:
    budget()
    page = text(browser("view_ratelimitbudget").get(LIST))

    assert "mc-buttons" not in page
    assert ADD not in page


def test_asking_changes_nothing() -> None:
    row = budget()
    client = operator()
    before = RateLimitBudget.objects.values().get()
    paths = [button("drain", row), button("refill", row), view("change", row), view("delete", row)]
    for path in paths:
        assert client.get(path).status_code == 200

    assert RateLimitBudget.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_a_budget_is_drained_for_as_long_as_one_says_and_refilled() -> None:
    row = budget()
    client = operator()
    client.post(button("drain", row), {"pause": "15m"})
    assert level().tokens == 0
    assert level().paused_seconds == pytest.approx(900, abs=30)
    client.post(button("refill", row))

    assert (level().tokens, level().paused_seconds) == (10, 0)
    assert list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True)) == [
        "The budget slack is empty, and grants nothing for 15 minutes.",
        "The budget slack is full.",
    ]


@pytest.mark.parametrize(
    ("pause", "message"), [("soon", "is no duration"), ("", "This field is required.")]
)
def test_a_drain_for_no_length_of_time_is_refused(pause: str, message: str) -> None:
    row = budget()
    response = operator().post(button("drain", row), {"pause": pause})

    assert message in text(response)
    assert level().tokens > 3
    assert not LogEntry.objects.exists()


def test_a_drain_that_lasts_no_time_only_empties_it() -> None:
    row = budget()
    operator().post(button("drain", row), {"pause": "0"})

    assert level().tokens < 1
    assert level().paused_seconds == 0


def test_a_budget_that_is_added_is_full() -> None:
    values = {"name": "sms", "capacity": "20", "refill_per_second": "0.001"}
    assert operator().post(ADD, values).status_code == 302

    assert level("sms") == (20, SLOWLY, 20, 0)


def test_what_has_flowed_in_before_a_change_did_so_at_the_old_rate() -> None:
    row = budget(tokens=4, capacity=1000)
    RateLimitBudget.objects.update(refilled_at=row.refilled_at - timedelta(seconds=1000))
    operator().post(view("change", row), {"capacity": "1000", "refill_per_second": "0.5"})

    assert level().refill_per_second == 0.5
    assert level().tokens == pytest.approx(5, abs=4)


def test_a_smaller_bucket_holds_less_at_once() -> None:
    row = budget(tokens=9)
    operator().post(view("change", row), {"capacity": "2", "refill_per_second": str(SLOWLY)})

    assert level().tokens == 2


def test_a_change_lets_nothing_flow_into_a_drained_bucket() -> None:
    row = budget()
    RateLimitBudget.objects.drain("slack", pause=timedelta(hours=1))
    operator().post(view("change", row), {"capacity": "10", "refill_per_second": "100"})

    assert level().tokens == 0
    assert level().paused_seconds > 3500


@pytest.mark.parametrize("field", ["capacity", "refill_per_second"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e13", "many", ""])
def test_what_makes_no_sense_is_refused_beside_its_field(field: str, value: str) -> None:
    row = budget()
    values = {"capacity": "10", "refill_per_second": "1", field: value}
    response = operator().post(view("change", row), values)

    assert list(response.context["adminform"].form.errors) == [field]
    assert level().capacity == 10


def test_a_second_budget_of_the_same_name_is_refused() -> None:
    budget()
    values = {"name": "slack", "capacity": "1", "refill_per_second": "1"}

    assert "name" in operator().post(ADD, values).context["adminform"].form.errors


def test_a_budget_that_a_queue_spends_is_not_deleted() -> None:
    row = budget()
    queue = Queue.objects.create(name="mail", budget="slack")
    client = operator()
    assert "the queue mail spends it" in text(client.post(view("delete", row), {"post": "yes"}))
    assert RateLimitBudget.objects.exists()
    queue.delete()

    assert client.post(view("delete", row), {"post": "yes"}).status_code == 302
    assert not RateLimitBudget.objects.exists()


def test_a_budget_that_settings_declare_is_not_deleted(settings: Settings) -> None:
    settings.FORGE_JOBS = {"BUDGETS": {"slack": {"capacity": 1, "refill_per_second": 1}}}
    row = budget()
    client = operator()
    page = text(client.post(view("delete", row), {"post": "yes"}))

    assert "the settings declare slack" in page
    assert view("delete", row) not in text(client.get(view("change", row)))
    assert RateLimitBudget.objects.exists()
