"""Catalogues: published in steps, none of which is done again by a later run."""

from pathlib import Path

import pytest
from django.test import Client
from PIL import Image
from pytest_django import Settings

from forge_jobs.models import Job, State
from forge_jobs.testing import drain
from sample_project.gallery.jobs import publish_catalogue
from sample_project.gallery.models import Catalogue
from tests.sample_project.conftest import Api, PictureFactory

pytestmark = pytest.mark.django_db


def test_a_catalogue_that_could_not_be_announced_goes_on_with_just_that(
    api: Api, shown: PictureFactory, settings: Settings, media: Path
) -> None:
    for _ in range(2):
        shown()
    job = publish_catalogue.enqueue()
    with api(500) as settings.GALLERY_API_URL:
        drain()
    sheet = media / "catalogues" / f"{job.pk}.jpg"
    printed_at = sheet.stat().st_mtime_ns
    shown()
    with api(201, body=b'{"address": "/published/7"}') as settings.GALLERY_API_URL:
        Job.objects.all().run_now()
        drain()

    job.refresh_from_db()
    catalogue = Catalogue.objects.get()
    assert (job.state, job.attempt) == (State.SUCCEEDED, 2)
    assert job.result == {"catalogue": catalogue.pk, "address": catalogue.sheet}
    assert catalogue.address == "/published/7"
    assert sheet.stat().st_mtime_ns == printed_at
    with Image.open(sheet) as image:
        assert image.size == (1000, 196)


def test_a_gallery_without_pictures_has_no_catalogue() -> None:
    job = publish_catalogue.enqueue()
    drain()

    job.refresh_from_db()
    assert (job.state, Catalogue.objects.count()) == (State.DEAD, 0)


def test_who_asks_twice_for_a_catalogue_gets_one(client: Client) -> None:
    first = client.post("/catalogue/", follow=True)
    second = client.post("/catalogue/", follow=True)

    assert "in four steps" in first.content.decode()
    assert "under way already" in second.content.decode()
    assert Job.objects.count() == 1
