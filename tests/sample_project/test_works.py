"""The larger works on the page: how far each is, which steps are stored, and what came of it."""

from typing import Any

import pytest
from django.test import Client

from forge_jobs.models import Batch, Job, JobStep, State
from forge_jobs.states import Role
from sample_project.gallery.jobs import publish_catalogue
from tests.conftest import NOON
from tests.sample_project.conftest import PictureFactory

pytestmark = pytest.mark.django_db


def told(client: Client, name: str) -> dict[str, Any]:
    by_name: dict[str, dict[str, Any]] = {
        work["name"]: work for work in client.get("/status/").json()["works"]
    }
    return by_name[name]


def test_of_what_nobody_has_asked_for_nothing_is_shown(client: Client) -> None:
    assert [work["page"] for work in client.get("/status/").json()["works"]] == [""] * 4
    assert client.get("/").content.decode().count('class="work"') == 4


def test_an_import_tells_how_many_of_its_jobs_have_ended(client: Client) -> None:
    client.post("/album/")
    some = Job.objects.filter(batch__isnull=False).order_by("pk")[:3]
    Job.objects.filter(pk__in=some.values("pk")).update(state=State.SUCCEEDED, finished_at=NOON)

    work = told(client, "import")
    assert (work["done"], work["total"], work["is_under_way"]) == (3, 300, True)
    assert work["message"] == "3 succeeded of 300 jobs"
    assert work["page"] == f"/admin/forge_jobs/batch/{Batch.objects.get().pk}/change/"


def test_a_publication_of_all_is_one_batch(client: Client, shown: PictureFactory) -> None:
    for _ in range(2):
        shown()
    client.post("/publish/")

    assert Batch.objects.get().jobs.count() == 2
    assert told(client, "publication")["message"] == "none of 2 jobs"


def test_a_catalogue_tells_which_of_its_steps_are_stored(client: Client) -> None:
    job = publish_catalogue.enqueue()
    for name, value in {"choose": [1], "print": "/media/catalogues/1.jpg"}.items():
        JobStep.objects.create(
            job_id=job.pk, name=name, role=Role.STEP, value=value, at=NOON, claimed_at=NOON
        )

    work = told(client, "catalogue")
    assert work["steps"] == {"choose": True, "print": True, "announce": False, "enter": False}
    assert work["address"] == "/media/catalogues/1.jpg"


def test_an_export_tells_of_its_archive_once_it_can_be_downloaded(client: Client) -> None:
    client.post("/export/")
    work = told(client, "export")
    assert (work["state"], work["address"], work["is_under_way"]) == ("ready", "", True)

    ended = {"state": State.SUCCEEDED, "result": {"address": "/media/exports/x.zip"}}
    Job.objects.update(**ended, finished_at=NOON)
    assert told(client, "export")["address"] == "/media/exports/x.zip"
    assert 'href="/media/exports/x.zip"' in client.get("/").content.decode()
