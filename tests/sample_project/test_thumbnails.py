"""Thumbnails: made of what can be decoded, dead letters of the rest."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from forge_jobs import Cancelled, Dead, Done
from sample_project.gallery.drawing import draw
from sample_project.gallery.jobs import make_thumbnail
from sample_project.gallery.models import Picture
from tests.sample_project.conftest import PictureFactory

pytestmark = pytest.mark.django_db


def test_somebody_who_tries_the_api_finds_a_kind_that_is_open() -> None:
    assert make_thumbnail.api


def test_a_thumbnail_fits_its_box_and_the_size_is_that_of_the_image(
    picture: PictureFactory,
) -> None:
    row = picture(content=draw("waves", seed=3))

    outcome = make_thumbnail(picture_id=row.pk)

    row.refresh_from_db()
    assert outcome.result == {"width": 800, "height": 600}
    assert (row.width, row.height) == (800, 600)
    with row.thumbnail.open() as file, Image.open(file) as thumbnail:
        assert thumbnail.size == (480, 360)


def test_an_image_that_lies_on_its_side_is_set_upright(picture: PictureFactory) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    jpeg = BytesIO()
    Image.new("RGB", (600, 400)).save(jpeg, "JPEG", exif=exif)
    row = picture(content=jpeg.getvalue())

    assert make_thumbnail(picture_id=row.pk).result == {"width": 400, "height": 600}


def test_a_transparent_image_gets_a_thumbnail(picture: PictureFactory) -> None:
    gif = BytesIO()
    Image.new("P", (30, 20)).save(gif, "GIF", transparency=0)
    row = picture(content=gif.getvalue())

    assert isinstance(make_thumbnail(picture_id=row.pk), Done)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Dear diary", "the file is no picture, or of an unknown format"),
        (draw("torn", seed=7), "image file is truncated"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), ""),
    ],
)
def test_an_image_that_cannot_be_decoded_is_dead(
    picture: PictureFactory, content: bytes, reason: str
) -> None:
    row = picture(content=content)

    with pytest.raises(Dead) as dead:
        make_thumbnail(picture_id=row.pk)

    assert dead.value.message.startswith(f"cannot be decoded: {reason}")
    row.refresh_from_db()
    assert not row.thumbnail


def test_an_empty_upload_is_dead(client: Client) -> None:
    client.post("/upload/", {"images": [SimpleUploadedFile("void.png", b"")]})

    with pytest.raises(Dead, match="the file is empty"):
        make_thumbnail(picture_id=Picture.objects.get().pk)


def test_the_jobs_of_a_picture_that_is_gone_are_cancelled() -> None:
    with pytest.raises(Cancelled, match="picture 12 no longer exists"):
        make_thumbnail(picture_id=12)
