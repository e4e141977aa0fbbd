"""Whose a token is, and what it takes to find out."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User, UserManager
from django.db import connection, connections, models
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext, isolate_apps

from forge_jobs import clock, job
from forge_jobs.admin import JobAdmin
from forge_jobs.api.bearer import _Number, _together, bearer
from forge_jobs.db.written_once import KEPT
from forge_jobs.models import ApiToken, Job
from tests.api.callers import Caller, program, superuser, token_of, with_token
from tests.rows import stored_job

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept(db: None) -> None:
    """What earlier tests had written stays with the wrapper."""
    vars(connections["default"]).pop(KEPT, None)


class NobodyBut(UserManager[User]):
    """As a project may narrow what there is, here by whatever is said now."""

    nobody_but = "ada"

    def get_queryset(self) -> QuerySet[User]:
        return super().get_queryset().filter(username=self.nobody_but)


@pytest.fixture
def nobody_but(monkeypatch: pytest.MonkeyPatch) -> NobodyBut:
    manager = NobodyBut()
    manager.model = User
    monkeypatch.setitem(vars(User._meta), "default_manager", manager)
    return manager


def statements(caller: Caller, method: str, path: str, body: object = None) -> int:
    caller.send(method, path, body)  # which writes down that the token is used
    with CaptureQueriesContext(connection) as queries:
        assert caller.send(method, path, body).status_code in (200, 201)
    return len(queries)


def test_a_token_and_its_owner_are_read_in_one_statement() -> None:
    @job(kind="shop.noop", api=True)
    def noop() -> None: ...

    caller, row = program("view_job", "add_job"), stored_job()

    assert statements(caller, "GET", f"/jobs/{row.pk}") == 2
    assert statements(caller, "POST", "/jobs", {"kind": "shop.noop"}) == 2
    assert statements(caller, "GET", "/jobs?state=ready&queue=default") == 3


def test_both_are_as_they_are_stored() -> None:
    owner = superuser()
    token, text = token_of(owner, "view_job", kinds=["shop.noop"], expires_at=None)
    for _ in range(2):
        found = bearer(text, now=clock.now())
        assert found == (token, owner)
        for mine, stored in zip(found, (ApiToken.objects.get(), User.objects.get()), strict=True):
            without = {"_state"}
            assert {n: v for n, v in vars(mine).items() if n not in without} == {
                n: v for n, v in vars(stored).items() if n not in without
            }


KEYS = [0, 1, -1, 10**17, 10**18, -(10**18), 2**63 - 1]
NO_KEYS = ["", "ada", "1ada", " 1", "1 ", "1\n", "+1", "01", "-0", "1_0", "1.0", "0x1", "-"]
ARABIC = "\u0661"
TOO_LARGE = [str(2**63), str(10**19), "9" * 30]


@pytest.mark.parametrize(
    ("text", "number"),
    [(str(key), key) for key in KEYS] + [(text, None) for text in (*NO_KEYS, ARABIC, *TOO_LARGE)],
)
def test_a_key_is_read_as_it_was_written_or_not_at_all(text: str, number: int | None) -> None:
    token, _ = token_of(superuser(), "view_job")
    ApiToken.objects.filter(pk=token.pk).update(owner_key=text)

    assert ApiToken.objects.annotate(number=_Number("owner_key")).get().number == number


@pytest.mark.parametrize("key", [*NO_KEYS, ARABIC, *TOO_LARGE])
def test_an_owner_of_another_sort_of_key_is_nobody(key: str) -> None:
    token, text = token_of(superuser(), "view_job")
    ApiToken.objects.filter(pk=token.pk).update(owner_key=key)

    caller = Caller({"Authorization": f"Bearer {text}"})
    assert [caller.get("/jobs").status_code for _ in range(2)] == [401, 401]


def test_a_manager_of_the_projects_own_says_who_is_there(nobody_but: NobodyBut) -> None:
    caller = with_token(superuser("ada"), "view_job")
    assert caller.get("/jobs").status_code == 200
    nobody_but.nobody_but = "grace"
    assert caller.get("/jobs").status_code == 401


def test_users_may_be_sorted_by_whatever_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User._meta, "ordering", [Coalesce("email", Value("none"))])
    monkeypatch.delitem(vars(connections["default"]), KEPT, raising=False)

    assert with_token(superuser(), "view_job").get("/jobs").status_code == 200


@isolate_apps("django.contrib.auth")
def test_keys_of_a_projects_own_field_are_left_to_it() -> None:
    class Written(models.BigAutoField):  # type: ignore[type-arg] # in stubs alone
        """As a project may write them in letters."""

    class Member(models.Model):  # noqa: DJ008 - nobody sees one
        id = Written(primary_key=True)

        class Meta:
            app_label = "auth"

    assert _together(Member._default_manager) is None


@pytest.mark.usefixtures("nobody_but")
def test_its_owners_may_have_had_other_keys_as_well() -> None:
    token, text = token_of(superuser("ada"), "view_job")
    ApiToken.objects.filter(pk=token.pk).update(owner_key="ada")

    assert Caller({"Authorization": f"Bearer {text}"}).get("/jobs").status_code == 401


def test_an_admin_of_the_projects_own_says_which_jobs_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OnlyMail(JobAdmin):
        def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
            return super().get_queryset(request).filter(queue="mail")

    caller, mail, other = program("view_job"), stored_job(queue="mail"), stored_job()
    assert caller.get(f"/jobs/{other.pk}").status_code == 200
    registered: dict[Any, Any] = admin.site._registry
    monkeypatch.setitem(registered, Job, OnlyMail(Job, admin.site))

    assert caller.get(f"/jobs/{mail.pk}").json()["id"] == mail.pk
    assert caller.get(f"/jobs/{other.pk}").status_code == 404
