"""Publishing: each answer of the API is an outcome, and asking twice does no harm."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from forge_jobs import Dead, Failed, Throttled
from forge_jobs.models import Job
from sample_project.gallery.jobs import publish_picture
from tests.sample_project.conftest import Api, PictureFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_picture_that_the_api_accepts_is_published(
    api: Api, shown: PictureFactory, settings: Settings
) -> None:
    row = shown()

    with api(201, body=b'{"address": "/published/1"}') as settings.GALLERY_API_URL:
        outcome = publish_picture(picture_id=row.pk)

    row.refresh_from_db()
    assert outcome.result == {"address": "/published/1"}
    assert row.published_at is not None


def test_a_throttled_picture_waits_as_long_as_the_api_asks(
    api: Api, shown: PictureFactory, settings: Settings
) -> None:
    row = shown()

    with (
        api(429, headers={"Retry-After": "7"}) as settings.GALLERY_API_URL,
        pytest.raises(Throttled) as throttled,
    ):
        publish_picture(picture_id=row.pk)

    assert throttled.value.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("status", "outcome"), [(500, Failed), (503, Failed), (400, Dead), (404, Dead)]
)
def test_a_refusal_is_retried_unless_it_is_final(
    api: Api, shown: PictureFactory, settings: Settings, status: int, outcome: type[Exception]
) -> None:
    row = shown()

    with (
        api(status) as settings.GALLERY_API_URL,
        pytest.raises(outcome, match=str(status)),
    ):
        publish_picture(picture_id=row.pk)

    row.refresh_from_db()
    assert row.published_at is None


def test_an_api_that_is_away_is_tried_again(
    api: Api, shown: PictureFactory, settings: Settings
) -> None:
    row = shown()
    with api(201) as settings.GALLERY_API_URL:
        pass

    with pytest.raises(Failed, match=r"can't be reached: .*refused"):
        publish_picture(picture_id=row.pk)


def test_publishing_twice_asks_for_one_job(client: Client, shown: PictureFactory) -> None:
    row = shown()

    for _ in range(2):
        response = client.post(f"/publish/{row.pk}/", {"back": "/?page=2"})

    job = Job.objects.get()
    assert response["Location"] == f"/?page=2#picture-{row.pk}"
    assert (job.queue, job.payload) == ("publish", {"picture_id": row.pk})


def test_publish_all_takes_the_pictures_that_can_be_published(
    client: Client, shown: PictureFactory, picture: PictureFactory
) -> None:
    row = shown()
    picture()
    picture(thumbnail="thumbnails/there.jpg", published_at=NOON)

    client.post("/publish/")

    assert Job.objects.get().payload == {"picture_id": row.pk}


def test_the_way_back_leads_nowhere_else(client: Client, shown: PictureFactory) -> None:
    response = client.post("/publish/", {"back": "https://elsewhere.example/"})

    assert response["Location"] == "/"
