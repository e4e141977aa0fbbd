"""The fake API: moody, but not for ever."""

import pytest
from django.test import Client

from sample_project.gallery import fake_api

pytestmark = pytest.mark.django_db


def test_the_fake_api_accepts_every_picture_in_the_end(client: Client) -> None:
    statuses = [
        [_send(client, picture) for _ in range(fake_api.Moods.MOST_REFUSALS + 1)]
        for picture in range(100)
    ]

    assert all(201 in answers for answers in statuses)
    assert {status for answers in statuses for status in answers} == {201, 429, 500}


def test_the_fake_api_refuses_what_is_no_picture(client: Client) -> None:
    for body in ("", "[]", "{}", '{"id": "x"}'):
        response = client.post("/fake-api/pictures/", body, content_type="application/json")
        assert response.status_code == 400


def _send(client: Client, picture: int) -> int:
    response = client.post("/fake-api/pictures/", {"id": picture}, content_type="application/json")
    return response.status_code
