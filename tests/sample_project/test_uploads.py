"""Uploads: stored together with their jobs, whatever is in the files."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from forge_jobs.exceptions import UnknownQueue
from forge_jobs.models import Job, State
from sample_project.gallery.models import Picture
from tests.sample_project.conftest import ImageFile

pytestmark = pytest.mark.django_db


def test_an_upload_stores_pictures_and_jobs_together(image_file: ImageFile, client: Client) -> None:
    response = client.post("/upload/", {"images": [image_file("Sea.PNG"), image_file("sky.jpg")]})

    assert response.status_code == 302
    sea, sky = Picture.objects.order_by("pk")
    assert (sea.title, sky.title) == ("Sea", "sky")
    for kind in ("gallery.make_thumbnail", "gallery.find_colours"):
        assert [job.payload for job in Job.objects.filter(kind=kind).order_by("pk")] == [
            {"picture_id": sea.pk},
            {"picture_id": sky.pk},
        ]
    assert sea.thumbnail_job is not None
    assert sea.thumbnail_job.state == State.READY


def test_an_upload_whose_jobs_are_refused_leaves_nothing_behind(
    image_file: ImageFile, client: Client, settings: Settings, media: Path
) -> None:
    settings.FORGE_JOBS = {"QUEUES": {"default": {}}}

    with pytest.raises(UnknownQueue):
        client.post("/upload/", {"images": [image_file("sea.png")]})

    assert not Picture.objects.exists()
    assert not Job.objects.exists()
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_an_upload_without_files_says_so(client: Client) -> None:
    response = client.post("/upload/", follow=True)

    assert "Choose one or more pictures first." in response.content.decode()
    assert not Job.objects.exists()


def test_an_upload_is_never_kept_under_a_name_that_a_browser_would_run(
    image_file: ImageFile, client: Client
) -> None:
    client.post("/upload/", {"images": [image_file("evil.html"), image_file("evil.svg")]})

    assert {Path(row.image.name or "").suffix for row in Picture.objects.all()} == {".bin"}
