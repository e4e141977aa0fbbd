"""The page: what it tells of pictures and their jobs, and at what cost."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from forge_jobs.models import Job
from sample_project.gallery.jobs import make_thumbnail
from sample_project.gallery.models import Picture
from tests.sample_project.conftest import ImageFile, PictureFactory

pytestmark = pytest.mark.django_db


def test_the_status_tells_the_steps_of_the_pictures_that_were_asked_for(
    image_file: ImageFile, client: Client, shown: PictureFactory, picture: PictureFactory
) -> None:
    client.post("/upload/", {"images": [image_file("sea.png")]})
    sea = Picture.objects.get()
    assert sea.thumbnail_job is not None
    Job.objects.filter(pk=sea.thumbnail_job.pk).update(state="dead", last_error="cannot be decoded")
    picture()
    bay = shown()

    news = client.get(f"/status/?ids={sea.pk},{bay.pk}").json()

    assert (news["total"], news["published"], news["counts"]["dead"]) == (3, 0, 1)
    told = {row["id"]: row for row in news["pictures"]}
    assert told.keys() == {sea.pk, bay.pk}
    assert told[sea.pk]["error"] == "cannot be decoded"
    assert told[sea.pk]["steps"] == [
        {"name": "drawing", "state": "", "label": "uploaded"},
        {"name": "thumbnail", "state": "dead", "label": "dead"},
        {"name": "publishing", "state": "", "label": "not yet"},
    ]
    assert told[bay.pk]["publishable"] is True
    assert told[bay.pk]["thumbnail"] == f"/media/thumbnails/{bay.pk}.jpg"


@pytest.mark.parametrize("ids", ["x", "1,x", "0", "9" * 30, ",".join(["1"] * 49)])
def test_the_status_refuses_ids_that_no_page_has(client: Client, ids: str) -> None:
    assert client.get(f"/status/?ids={ids}").status_code == 400


def test_the_page_takes_as_many_queries_for_hundreds_of_pictures_as_for_one(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.post("/album/")
    client.get("/")

    with django_assert_max_num_queries(11):
        response = client.get("/?page=2")

    html = response.content.decode()
    assert html.count('class="card"') == 48
    assert "<script>" not in html
    assert "style=" not in html


def test_the_page_can_be_asked_for_one_state(client: Client) -> None:
    client.post("/album/")
    job = Job.objects.order_by("pk")[7]
    Job.objects.filter(pk=job.pk).update(state="dead", last_error="torn")

    html = client.get("/?state=dead").content.decode()

    assert html.count('class="card"') == 1
    assert f'id="picture-{Picture.objects.get(draw_job=job).pk}"' in html


def test_pictures_outlive_their_jobs(image_file: ImageFile, client: Client) -> None:
    client.post("/upload/", {"images": [image_file("sea.png")]})
    make_thumbnail(picture_id=Picture.objects.get().pk)
    Job.objects.all()._raw_delete("default")

    (told,) = client.get(f"/status/?ids={Picture.objects.get().pk}").json()["pictures"]

    assert [step["label"] for step in told["steps"]] == ["uploaded", "made", ""]
    assert told["publishable"] is True
