"""Colours: found for many pictures in one call, once they have their thumbnails."""

from io import BytesIO
from unittest.mock import MagicMock

import pytest
from django.test import Client
from PIL import Image

from forge_jobs import Cancelled, Chunk, Done, JobContext
from forge_jobs.handlers.chunks import Item
from forge_jobs.models import Job, State
from forge_jobs.testing import drain
from sample_project.gallery import colours
from sample_project.gallery.jobs import Thumbnailed, find_colours
from sample_project.gallery.models import Picture
from tests.sample_project.conftest import ImageFile, PictureFactory

pytestmark = pytest.mark.django_db


def test_the_colour_that_covers_most_comes_first() -> None:
    image = Image.new("RGB", (30, 30), "#ff0000")
    image.paste("#0000ff", (0, 0, 10, 30))
    png = BytesIO()
    image.save(png, "PNG")

    assert colours.find(png.getvalue()) == ["#ff0000", "#0000ff"]


def test_one_call_finds_the_colours_of_many_pictures(shown: PictureFactory) -> None:
    rows = [shown(), shown()]
    items = [item(row.pk) for row in rows] + [item(0)]

    find_colours(Chunk(items))

    first, second, missing = (one.answer_given for one in items)
    found = [picture.colours for picture in Picture.objects.order_by("pk")]
    assert found[0] == found[1] != []
    assert first == second == Done({"colours": found[0], "jobs in this call": 3})
    assert isinstance(missing, Cancelled)


def test_an_upload_that_is_no_picture_takes_the_search_for_its_colours_with_it(
    client: Client, image_file: ImageFile
) -> None:
    torn = BytesIO(b"no picture")
    torn.name = "torn.jpg"
    client.post("/upload/", {"images": [image_file("sea.png"), torn]})
    drain()

    searches = Job.objects.filter(kind="gallery.find_colours").order_by("pk")
    assert [job.state for job in searches] == [State.SUCCEEDED, State.CANCELLED]
    assert [bool(picture.colours) for picture in Picture.objects.order_by("pk")] == [True, False]


def item(picture: int) -> Item[Thumbnailed]:
    context: JobContext = MagicMock()
    return Item({"picture_id": picture}, context)
