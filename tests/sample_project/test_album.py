"""The sample album: stored at once, drawn by jobs, each followed by another."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from forge_jobs import Dead, JobContext
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Batch, Job, State
from forge_jobs.testing import drain
from sample_project.gallery import album
from sample_project.gallery.drawing import draw
from sample_project.gallery.jobs import draw_picture
from sample_project.gallery.models import Catalogue, Picture
from tests.sample_project.conftest import Api, PictureFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_the_album_is_stored_at_once_with_a_job_for_each_picture(client: Client) -> None:
    client.post("/album/")

    (drawn,) = Batch.objects.all()
    assert Picture.objects.count() == Job.objects.filter(batch=drawn).count() == album.LENGTH == 300
    first_shown = Picture.objects.select_related("draw_job").first()
    first_job = Job.objects.filter(batch=drawn).order_by("pk").first()
    assert first_shown is not None
    assert first_shown.draw_job == first_job
    motifs = Job.objects.filter(batch=drawn).values_list("payload__motif", flat=True)
    assert [motif for motif in motifs if motif == "torn"] == ["torn", "torn"]


def test_a_newcomer_sees_a_batch_end_and_what_comes_after_it(api: Api, settings: Settings) -> None:
    call_command("seed_demo", stdout=StringIO())
    (drawn,) = Batch.objects.all()
    after = Job.objects.filter(kind__in=["gallery.export_pictures", "gallery.publish_catalogue"])
    assert list(after.values_list("state", flat=True)) == [State.HELD, State.HELD]
    after.update(payload={"seconds_each": 0})
    with api(201, body=b'{"address": "/published/1"}') as settings.GALLERY_API_URL:
        drain()

    drawn.refresh_from_db()
    assert drawn.counts == {"succeeded": 36}
    assert Job.objects.get(kind="gallery.sum_up_album").result == {"succeeded": 36}
    assert list(after.values_list("state", flat=True)) == [State.SUCCEEDED, State.SUCCEEDED]
    assert Catalogue.objects.count() == 1


def test_a_drawing_asks_once_for_its_thumbnail_and_then_for_its_colours(
    picture: PictureFactory,
) -> None:
    row = picture()

    for _ in range(2):
        draw_picture(_context(), picture_id=row.pk, motif="lake", seed=5)

    row.refresh_from_db()
    assert row.image
    thumbnail, colours = Job.objects.order_by("pk")
    assert row.thumbnail_job == thumbnail
    assert (colours.kind, colours.state) == ("gallery.find_colours", State.HELD)
    assert thumbnail.payload == colours.payload == {"picture_id": row.pk}


def test_the_same_seed_draws_the_same_picture() -> None:
    assert draw("tiles", seed=4) == draw("tiles", seed=4) != draw("tiles", seed=5)


def test_an_unknown_motif_is_dead(picture: PictureFactory) -> None:
    with pytest.raises(Dead, match="'cubes' is none of hills, lake"):
        draw_picture(_context(), picture_id=picture().pk, motif="cubes", seed=1)


def _context() -> JobContext:
    job = ClaimedJob(
        id=1,
        queue="images",
        kind="gallery.draw_picture",
        payload="{}",
        context="{}",
        priority=0,
        run_at=NOON,
        attempt=1,
        max_attempts=5,
        timeout_seconds=None,
    )
    return JobContext(job, process_name="test")
