"""Every address, for every kind of caller: the admin's permissions are the API's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry

from forge_jobs import clock, job
from forge_jobs.admin.token_form import LABELS
from forge_jobs.api.openapi import described
from forge_jobs.api.seat import OURS
from forge_jobs.api.urls import urlpatterns
from forge_jobs.models import ApiToken, Batch, Job, Process, Queue, RateLimitBudget, Schedule
from tests.api.addresses import GUARDED, KIND, NEEDED, OPEN, Address, addresses
from tests.api.callers import Caller, in_session, program, superuser, token_of, user, with_token
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

ELSE = r"^[\s\S]*$"


@pytest.fixture(autouse=True)
def _kind() -> None:
    @job(kind=KIND, api=True)
    def send_receipt() -> None: ...


def refused(caller: Caller, status: int, given: list[Address] | None = None) -> list[str]:
    """Those of the addresses that answer with anything else."""
    chosen = GUARDED if given is None else given
    answers = ((one, one.asked_by(caller).status_code) for one in chosen)
    return [f"{one.operation}: {code}" for one, code in answers if code != status]


def may(permissions: set[str], address: Address) -> bool:
    """Who may change rows may see them, as Django has it."""
    implied = {f"view_{name.removeprefix('change_')}" for name in permissions if "change_" in name}
    return address.needed <= permissions | implied


def wrongly_answered(caller: Caller, permissions: set[str]) -> list[str]:
    found = []
    for address in GUARDED:
        code = address.asked_by(caller).status_code
        lacks_kinds = address.operation == "add_schedule" and "add_job" not in permissions
        is_let_in = code not in (401, 403) and not (lacks_kinds and code == 422)
        if is_let_in != may(permissions, address):
            found.append(f"{address.operation}: {code}")
    return found


def one_of_each() -> dict[str, dict[str, Any]]:
    """By the first word of the address, how a row is named that there is."""
    Queue.objects.create(name="real")
    Schedule.objects.create(name="nightly", kind=KIND, expression="@daily")
    RateLimitBudget.objects.create(name="slack", capacity=1, refill_per_second=1, tokens=1)
    return {
        "jobs": {"id": stored_job().pk},
        "queues": {"name": "real"},
        "processes": {"id": process_named("web").pk},
        "schedules": {"name": "nightly"},
        "budgets": {"name": "slack"},
        "batches": {"id": Batch.objects.create(name="import").pk},
    }


def contents() -> dict[str, list[dict[str, Any]]]:
    """All that is stored, but when a token was used."""
    ours = apps.get_app_config("forge_jobs").get_models()
    stored: list[Any] = [model for model in ours if model is not ApiToken]
    return {
        model.__name__: list(model._base_manager.order_by("pk").values())
        for model in (*stored, LogEntry)
    }


def everything() -> list[int]:
    """How many rows there are of all that could be changed by what is asked for here."""
    models = (Job, Queue, Process, Schedule, RateLimitBudget, Batch)
    return [*(model.objects.count() for model in models), LogEntry.objects.count()]


def test_each_address_stands_in_the_table_of_what_it_takes() -> None:
    assert {one.operation for one in addresses()} == {*NEEDED, *OPEN}


def test_what_stands_in_no_table_is_for_everybody_and_the_same_for_all() -> None:
    described_as = {path.removeprefix("/") for path in described("")["paths"]}
    routes = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(one.pattern)) for one in urlpatterns}
    assert routes - described_as == {"", "docs", "docs/assets/{name}", "openapi.json", ELSE}

    plain = user(name="plain", is_staff=False)
    callers = [Caller(), Caller({"Authorization": "Bearer x"}), in_session(plain), program()]
    for path in ("/", "/docs", "/docs/assets/swagger-ui.css", "/openapi.json", "/else", "/ready"):
        answers = [caller.get(path) for caller in callers]
        contents = [re.sub(rb'data-csrf="\w+"', b"", one.content) for one in answers]
        assert len({*zip([one.status_code for one in answers], contents, strict=True)}) == 1, path
        posted = [caller.post(path, {}) for caller in callers]
        assert {one.status_code for one in posted} <= {200, 404, 405}, path
    assert everything() == [0] * 7


def test_a_stranger_is_told_to_say_who_he_is() -> None:
    assert refused(Caller(), 401) == []
    assert everything() == [0] * 7


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer fjt_0123456789abcdef_" + "x" * 43])
def test_a_token_that_is_none_lets_nobody_in_not_even_beside_a_session(header: str) -> None:
    caller = in_session(superuser())
    caller.headers["Authorization"] = header

    assert refused(caller, 401) == []


def test_whoever_is_no_member_of_the_staff_gets_nowhere() -> None:
    plain = user(*LABELS, name="plain", is_staff=False)

    assert refused(in_session(plain), 403) == []
    assert refused(with_token(plain, *LABELS), 403) == []


def test_a_member_of_the_staff_without_permissions_gets_nowhere() -> None:
    plain = user(name="staff")

    assert refused(in_session(plain), 403) == []
    assert refused(with_token(plain, *LABELS), 403) == []


def test_a_token_goes_no_further_than_its_owner_and_the_owner_no_further_by_it() -> None:
    viewer = user("view_job", name="viewer")

    assert wrongly_answered(in_session(viewer), {"view_job"}) == []
    assert wrongly_answered(with_token(viewer, *LABELS), {"view_job"}) == []
    assert refused(with_token(viewer, "view_queue"), 403) == []


def test_whoever_may_do_everything_is_refused_nothing() -> None:
    every = {*LABELS}

    assert wrongly_answered(in_session(superuser()), every) == []
    assert wrongly_answered(in_session(user(*LABELS)), every) == []


@pytest.mark.parametrize("permission", sorted(LABELS))
def test_a_single_permission_opens_what_it_opens_in_the_admin(permission: str) -> None:
    assert wrongly_answered(program(permission), {permission}) == []


@pytest.mark.parametrize("address", GUARDED, ids=lambda one: one.operation)
def test_all_permissions_but_one_that_it_takes_do_not_open_an_address(address: Address) -> None:
    assert address.asked_by(program(*address.needed)).status_code not in (401, 403, 422)
    for permission in address.needed:
        others = {*LABELS} - {permission}
        if permission.startswith("view_"):
            others.discard(permission.replace("view_", "change_"))
        before = everything()
        caller = program(*others)
        assert address.asked_by(caller).status_code in (403, 422)
        assert everything() == before


def test_a_refusal_does_not_tell_whether_a_row_is_there() -> None:
    rows = one_of_each()
    caller = with_token(user(name="staff"), *LABELS)
    for address in GUARDED:
        row = rows.get(address.table, {})
        there, missing = address.asked_by(caller, **row), address.asked_by(caller)
        assert (there.status_code, there.content) == (403, missing.content), address.operation


@pytest.mark.parametrize("queue", ["real", "images"])
def test_whoever_may_only_look_is_refused_before_anything_is_written(queue: str) -> None:
    """Settings declare the second of the queues, and nobody has stored it."""
    rows = one_of_each() | {"queues": {"name": queue}}
    caller = program(*(name for name in LABELS if name.startswith("view_")))
    before = contents()
    for address in GUARDED:
        if address.method != "GET":
            answer = address.asked_by(caller, **rows.get(address.table, {}))
            assert answer.status_code == 403, address.operation

    assert contents() == before


def test_a_token_is_good_until_it_expires_is_revoked_or_its_owner_goes() -> None:
    owner, now = superuser(), clock.now()
    token, text = token_of(owner, *LABELS)
    late, other = token_of(owner, *LABELS, expires_at=now - timedelta(seconds=1))
    caller = Caller({"Authorization": f"Bearer {text}"})

    assert caller.get("/jobs").status_code == 200
    assert refused(Caller({"Authorization": f"Bearer {other}"}), 401) == []
    assert not late.is_good(now=now)
    owner.is_active = False
    owner.save()
    assert refused(caller, 401) == []
    owner.is_active = True
    owner.save()
    assert ApiToken.objects.revoke(token, by="ada", now=now)
    assert refused(caller, 401) == []
    owner.delete()
    assert refused(caller, 401) == []


def test_no_more_of_a_token_is_kept_than_a_digest_and_when_it_was_used() -> None:
    token, text = token_of(superuser(), "view_job")
    Caller({"Authorization": f"Bearer {text}"}).get("/jobs")

    kept = ApiToken.objects.values().get(pk=token.pk)
    assert text.split("_", 2)[2] not in str(kept)
    assert kept["last_used_at"]


def test_a_session_changes_nothing_without_the_csrf_token() -> None:
    caller = in_session(superuser())
    del caller.headers["X-CSRFToken"]

    changing = [one for one in GUARDED if one.method != "GET"]
    assert refused(caller, 403, changing) == []
    assert caller.get("/jobs").status_code == 200


def test_the_table_asks_for_what_the_buttons_of_the_admin_ask_for() -> None:
    from django.contrib import admin

    for model in OURS:
        seat = admin.site.get_model_admin(model)
        for name in getattr(seat, "actions_detail", ()):
            button = getattr(seat, name).button
            operations = [
                needed
                for operation, needed in NEEDED.items()
                if button.permission in needed and f"view_{seat.opts.model_name}" in needed
            ]
            assert operations, name


def test_tokens_have_no_permission_that_there_is_not() -> None:
    from django.contrib.auth.models import Permission

    stored = Permission.objects.filter(content_type__app_label="forge_jobs")
    assert {*LABELS} <= {*stored.values_list("codename", flat=True)}
