"""The tab of API tokens: who makes them, what they may, that they are shown once, and revoked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from forge_jobs import clock, job, register
from forge_jobs.handlers.command import Command
from forge_jobs.models import ApiToken
from tests.admin.people import LIVE, SHUT_OUT, answers, browser, operator, text

pytestmark = pytest.mark.django_db

LIST = reverse("admin:forge_jobs_apitoken_changelist")
ADD = reverse("admin:forge_jobs_apitoken_add")
NASTY = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _kinds() -> None:
    @job(kind="shop.tidy_up")
    def tidy_up() -> None: ...

    register(Command("shop.convert", allow=["cat"]))


def made(client: Client, **said: Any) -> Any:
    return client.post(ADD, {"name": "shop", "good_for": "90d", **said})


def revoke(token: ApiToken) -> str:
    return reverse("admin:forge_jobs_revoke_token", args=[token.pk])


def errors(response: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


def test_a_token_is_shown_once_and_lets_its_owner_in() -> None:
    ada = operator()
    shown = made(ada, permissions=["view_job", "add_job"], kinds="shop.tidy_up\r\n")
    found = re.search(r"fjt_[0-9a-f]{16}_[\w-]{43}", text(shown))
    assert found
    secret, (token,) = found[0], ApiToken.objects.all()

    assert "no-store" in shown["Cache-Control"]
    assert (token.owner_name, token.permissions) == ("ada", ["add_job", "view_job"])
    assert token.kinds == ["shop.tidy_up"]
    assert token.expires_at
    assert 89 < (token.expires_at - clock.now()).days + 1 <= 90
    for page in (LIST, reverse("admin:forge_jobs_apitoken_change", args=[token.pk])):
        assert secret not in text(ada.get(page))
        assert token.digest not in text(ada.get(page))
    assert LogEntry.objects.get().object_repr == "shop"
    answer = Client().get("/jobs/api/jobs", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"permissions": []}, "__all__"),
        ({"permissions": ["view_job"], "name": ""}, "name"),
        ({"permissions": ["delete_user"]}, "permissions"),
        ({"permissions": ["view_job"], "good_for": "soon"}, "good_for"),
        ({"permissions": ["view_job"], "good_for": "0"}, "good_for"),
        ({"kinds": "shop.unknown"}, "kinds"),
        ({"kinds": "shop.convert"}, "kinds"),
        ({"permissions": ["view_job"], "acts_for": "nobody"}, "acts_for"),
    ],
)
def test_a_token_that_could_not_be_is_refused(said: dict[str, Any], field: str) -> None:
    assert field in errors(made(operator(), **said))
    assert not ApiToken.objects.exists()


def test_nobody_gives_a_token_more_than_he_has_or_lets_it_act_for_another() -> None:
    ada = browser("add_apitoken", "view_apitoken", "view_job", name="ada")
    operator("root")

    assert "permissions" in errors(made(ada, permissions=["view_job", "kill_job"]))
    made(ada, permissions=["view_job"], acts_for="root")
    assert ApiToken.objects.get().owner_name == "ada"


def test_a_superuser_makes_one_for_a_member_of_the_staff_and_for_nobody_else() -> None:
    User.objects.create_user("shop", is_staff=True)
    User.objects.create_user("visitor")
    root = operator("root")

    made(root, permissions=["view_job"], acts_for="shop")
    assert ApiToken.objects.get().owner_name == "shop"
    assert "acts_for" in errors(made(root, permissions=["view_job"], acts_for="visitor"))


def test_a_token_is_revoked_for_good_and_stays_to_be_looked_up() -> None:
    token, _ = ApiToken.objects.issue(
        name=NASTY, owner_key="1", owner_name="ada", permissions=[], kinds=[], expires_at=None
    )
    ada = operator()
    assert NASTY not in text(ada.get(LIST))
    assert ada.get(revoke(token)).status_code == 200
    assert not ApiToken.objects.exclude(revoked_at=None).exists()

    ada.post(revoke(token))
    assert ApiToken.objects.get().revoked_by == "ada"
    assert "revoked" in text(ada.get(LIST))
    assert "no longer as it was" in ada.post(revoke(token), headers=LIVE).json()["told"]


def test_nobody_edits_or_deletes_a_token() -> None:
    token, _ = ApiToken.objects.issue(
        name="x", owner_key="1", owner_name="ada", permissions=[], kinds=[], expires_at=None
    )
    ada = operator()
    address = reverse("admin:forge_jobs_apitoken_change", args=[token.pk])
    deleting = reverse("admin:forge_jobs_apitoken_delete", args=[token.pk])

    assert ada.post(address, {"name": "y", "permissions": ["view_job"]}).status_code == 403
    assert ada.post(deleting, {"post": "yes"}).status_code == 403
    assert ApiToken.objects.get().name == "x"


def test_who_may_see_make_and_revoke_tokens() -> None:
    token, _ = ApiToken.objects.issue(
        name="x", owner_key="1", owner_name="ada", permissions=[], kinds=[], expires_at=None
    )
    told = answers(revoke(token), viewing="view_apitoken", needed="revoke_apitoken")

    assert told == SHUT_OUT | {"viewer": (403, 403), "operator": (200, 302)}


def test_of_many_tokens_there_is_a_page_at_a_time_the_good_ones_first() -> None:
    ada = operator()
    for number in range(26):
        made(ada, name=f"shop {number}", permissions=["view_job"])
    first = ApiToken.objects.order_by("pk")[0]
    gone = ApiToken.objects.order_by("-pk")[0]
    ada.post(revoke(gone))

    def names(**asked: str) -> list[str]:
        return [card["row"].name for card in ada.get(LIST, asked).context["cards"]]

    assert names()[0] == "shop 24"
    assert names(p="2") == [first.name, gone.name]
    assert names(q="shop 13") == ["shop 13"]
    assert "No token fits." in text(ada.get(LIST, {"q": "nothing"}))
