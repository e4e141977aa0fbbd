"""Who asks the API in tests: programs with tokens, people with sessions, and strangers."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from forge_jobs.models import ApiToken
from tests.admin.people import granted

ROOT = "/jobs/api"


@dataclass
class Caller:
    """Sends JSON, and reads it."""

    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = (
            {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        )
        everything = {**self.headers, **headers}
        return self.client.generic(method, f"{ROOT}{path}", **sent, headers=everything)  # type: ignore[arg-type] # passed on

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)


def user(*permissions: str, name: str = "ada", **columns: Any) -> User:
    """One of the staff, unless told otherwise."""
    found: User = User.objects.create_user(name, **{"is_staff": True} | columns)
    found.user_permissions.set(granted(permissions))
    return found


def superuser(name: str = "root") -> User:
    found: User = User.objects.create_superuser(name)
    return found


def token_of(
    owner: User,
    *permissions: str,
    kinds: Collection[str] = (),
    expires_at: datetime | None = None,
    name: str = "shop",
) -> tuple[ApiToken, str]:
    return ApiToken.objects.issue(
        name=name,
        owner_key=str(owner.pk),
        owner_name=owner.get_username(),
        permissions=permissions,
        kinds=kinds,
        expires_at=expires_at,
    )


def with_token(owner: User, *permissions: str, **said: Any) -> Caller:
    _, text = token_of(owner, *permissions, **said)
    return Caller({"Authorization": f"Bearer {text}"})


def program(*permissions: str, **said: Any) -> Caller:
    """With a token that has these permissions, of somebody who has all."""
    owner = User.objects.filter(is_superuser=True).first() or superuser()
    return with_token(owner, *permissions, **said)


def in_session(owner: User) -> Caller:
    """As a page's script would send it, with the CSRF token."""
    caller = Caller()
    caller.client.force_login(owner)
    caller.client.get("/admin/login/")
    secret = "s" * 32
    caller.client.cookies["csrftoken"] = secret
    caller.headers["X-CSRFToken"] = secret
    return caller
