"""Exports: all images in one archive, or nothing; and the end of old pictures."""

import zipfile
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from forge_jobs import Cancelled
from forge_jobs.models import Job, State
from sample_project.gallery.actions import publish
from sample_project.gallery.drawing import draw
from sample_project.gallery.jobs import export_pictures, tidy_up
from sample_project.gallery.models import Picture
from tests.running import drain
from tests.sample_project.conftest import PictureFactory

pytestmark = pytest.mark.django_db


class Onlooker:
    """Stands in for a job's context: notes the progress, and says when to stop."""

    job_id = 7

    def __init__(self, *, stops_after: int = 1_000) -> None:
        self.stops_after = stops_after
        self.seen: list[tuple[int, int | None]] = []
        self.cancelled = self

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        self.seen.append((done, total))

    def wait(self, seconds: float) -> None:
        pass

    def raise_if_set(self) -> None:
        if len(self.seen) >= self.stops_after:
            raise Cancelled("enough")


def test_an_export_holds_every_image_and_tells_how_far_it_is(
    picture: PictureFactory, media: Path
) -> None:
    for _ in range(3):
        picture(content=draw("hills", seed=1))
    picture()
    onlooker = Onlooker()
    outcome = export_pictures.function(onlooker)

    assert outcome.result == {"address": "/media/exports/gallery-7.zip"}
    with zipfile.ZipFile(media / "exports" / "gallery-7.zip") as archive:
        assert [name[5:14] for name in archive.namelist()] == ["Quiet Bay"] * 3
    assert onlooker.seen == [(1, 3), (2, 3), (3, 3)]


def test_an_export_that_is_cancelled_leaves_nothing_behind(
    picture: PictureFactory, media: Path
) -> None:
    for _ in range(3):
        picture(content=draw("hills", seed=1))
    with pytest.raises(Cancelled):
        export_pictures.function(Onlooker(stops_after=2))

    assert list((media / "exports").iterdir()) == []


def test_only_the_newest_exports_are_kept(media: Path) -> None:
    for number in range(1, 6):
        onlooker = Onlooker()
        onlooker.job_id = number
        export_pictures.function(onlooker)

    assert len(list((media / "exports").glob("*.zip"))) == 3


def test_who_asks_twice_for_an_export_gets_one(client: Client) -> None:
    first = client.post("/export/", follow=True)
    second = client.post("/export/", follow=True)

    assert "All pictures will be in one archive" in first.content.decode()
    assert "under way already" in second.content.decode()
    assert Job.objects.count() == 1


def test_the_oldest_pictures_go_with_their_files(
    picture: PictureFactory, media: Path, settings: Settings
) -> None:
    settings.GALLERY_LENGTH = 1
    old, new = (picture(content=draw("hills", seed=1)) for _ in range(2))

    assert tidy_up().result == {"removed": 1}
    assert list(Picture.objects.all()) == [new]
    assert not Path(old.image.path).exists()
    assert Path(new.image.path).exists()


@pytest.mark.django_db(transaction=True)
def test_an_export_runs_as_a_job(picture: PictureFactory) -> None:
    picture(content=draw("hills", seed=1))
    job = export_pictures.enqueue()
    drain()

    job.refresh_from_db()
    assert (job.state, job.result) == (
        State.SUCCEEDED,
        {"address": f"/media/exports/gallery-{job.pk}.zip"},
    )


def test_an_export_that_is_asked_for_during_an_import_waits_for_its_end(client: Client) -> None:
    client.post("/album/")
    client.post("/export/")

    assert Job.objects.get(kind="gallery.export_pictures").state == State.HELD


def test_an_export_can_be_cancelled_on_the_page(client: Client) -> None:
    client.post("/export/")
    client.post("/export/cancel/")
    again = client.post("/export/cancel/", follow=True)

    assert Job.objects.get().state == State.CANCELLED
    assert "There is no export to cancel" in again.content.decode()


def test_pictures_with_work_before_them_stay(picture: PictureFactory, settings: Settings) -> None:
    settings.GALLERY_LENGTH = 0
    wanted = picture(content=draw("hills", seed=1))
    publish([wanted])

    assert tidy_up().result == {"removed": 0}
    Job.objects.all().cancel()
    assert tidy_up().result == {"removed": 1}
