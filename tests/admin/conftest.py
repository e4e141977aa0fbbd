"""People who look at the admin, each with other permissions, and what they see."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.admin.people import browser

ClientOf = Callable[..., Client]

ACTS = ("retry_job", "cancel_job", "kill_job", "delete_job")


@pytest.fixture
def client_of(db: None) -> ClientOf:
    """A client that is logged in as a member of the staff with these permissions."""

    def login(*codenames: str, is_staff: bool = True, name: str = "") -> Client:
        return browser(*codenames, is_staff=is_staff, name=name or f"user {User.objects.count()}")

    return login


@pytest.fixture
def viewer(client_of: ClientOf) -> Client:
    return client_of("view_job", name="viewer")


@pytest.fixture
def operator(client_of: ClientOf) -> Client:
    return client_of("view_job", *ACTS, name="operator")
