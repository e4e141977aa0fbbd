"""People who look at Mission Control, from nobody to whoever may do everything."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractBaseUser, Permission, User
from django.test import Client

Visitor = Callable[..., Client]


@pytest.fixture
def visitor(db: None) -> Visitor:
    """A client of a member of staff with these permissions of forge_jobs."""

    def log_in(*permissions: str, is_staff: bool = True, **client: bool) -> Client:
        user = User.objects.create_user(f"u{User.objects.count()}", is_staff=is_staff)
        wanted = Permission.objects.filter(
            content_type__app_label="forge_jobs", codename__in=permissions
        )
        assert wanted.count() == len(permissions), "there is no such permission"
        user.user_permissions.set(wanted)
        return logged_in(user, **client)

    return log_in


@pytest.fixture
def operator(db: None) -> Client:
    """A client of whoever may do everything."""
    return logged_in(User.objects.create_superuser("operator"))


def logged_in(user: AbstractBaseUser, **options: bool) -> Client:
    client = Client(**options)  # type: ignore[arg-type]
    client.force_login(user)  # type: ignore[arg-type]
    return client
