"""Who may sit at the admin in tests, and what the admin answers to them."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client

LIVE = {"Accept": "application/json"}


def browser(*permissions: str, is_staff: bool = True, name: str = "ada") -> Client:
    """A client of somebody who has these permissions of forge_jobs."""
    user = User.objects.create_user(name, is_staff=is_staff)
    user.user_permissions.set(granted(permissions))
    client = Client()
    client.force_login(user)
    return client


def operator(name: str = "ada") -> Client:
    """A client of somebody who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser(name))
    return client


def granted(names: Iterable[str]) -> list[Permission]:
    found = [
        Permission.objects.get(content_type__app_label="forge_jobs", codename=name)
        for name in names
    ]
    return found


def answers(path: str, *, viewing: str, needed: str) -> dict[str, tuple[int, int]]:
    """The status codes of a GET and a POST, for everybody who must be told apart.

    `viewing` is the permission to see the rows, `needed` is the one to change them.
    """
    people: dict[str, Client] = {
        "anonymous": Client(),
        "plain": browser(viewing, needed, is_staff=False, name="plain"),
        "staff": browser(name="staff"),
        "viewer": browser(viewing, name="viewer"),
        "operator": browser(viewing, needed, name="operator"),
    }
    return {
        who: (client.get(path).status_code, client.post(path, {}).status_code)
        for who, client in people.items()
    }


def filled(client: Client, path: str, **changes: str) -> dict[str, str]:
    """What a page's form would send, with what somebody changes in it."""
    sent = {}
    for bound in client.get(path).context["adminform"].form:
        value = bound.value()
        for name in (bound.html_name, bound.html_initial_name):
            if value not in (None, False):
                sent[name] = str(value)
    for name, value in changes.items():
        sent.pop(name, None)
        if value:
            sent[name] = value
    return sent


SHUT_OUT = {"anonymous": (302, 302), "plain": (302, 302), "staff": (403, 403)}
"""Who gets nowhere: those who are no staff are sent to the login."""


def text(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()
