"""What the runs of a job have stored, on its page and in `manage.py jobs show`."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from forge_jobs import job
from forge_jobs.models import Job, JobStep, Role
from tests.admin.pages import LIST, job_page
from tests.conftest import NOON
from tests.rows import stored_job

pytestmark = pytest.mark.django_db


def show(job: Job) -> str:
    """What the command says of it."""
    out = StringIO()
    call_command("jobs", "show", str(job.pk), stdout=out)
    return out.getvalue()


def stored_step(of: Job, name: str, value: Any, role: Role = Role.STEP) -> None:
    JobStep.objects.create(
        job_id=of.pk, name=name, role=role, value=value, at=NOON, claimed_at=NOON
    )


def test_steps_cursors_and_the_checkpoint_are_shown_with_their_values(
    viewer: Client,
) -> None:
    row = stored_job()
    stored_step(row, "charge <b>", {"charge": "ch_7"})
    stored_step(row, "shop.order", {"after": "907", "visited": 1200, "is_over": False}, Role.CURSOR)
    stored_step(row, "shop.item", {"after": "9", "visited": 8, "is_over": True}, Role.CURSOR)
    stored_step(row, "", [1, 2], Role.CHECKPOINT)

    shown, said = job_page(viewer, row.pk), show(row)

    for name, value in (
        ("charge <b>", '{"charge": "ch_7"}'),
        ("shop.order", "1,200 rows done, up to 907"),
        ("shop.item", "8 rows done, which are all"),
        ("checkpoint", "[1, 2]"),
    ):
        for told in (shown, said):
            assert 0 <= told.index(name) < told.index(value), (name, told)


def test_values_that_nobody_should_read_are_masked(viewer: Client) -> None:
    @job(kind="tests.discreet", redact=["token", "Login"])
    def discreet() -> None: ...

    row = stored_job(kind="tests.discreet")
    stored_step(row, "login", "s3cret-1")
    stored_step(row, "fetch", {"user": "ann", "token": "s3cret-2"})

    for told in (job_page(viewer, row.pk), show(row)):
        assert "s3cret" not in told
        assert '{"user": "ann", "token": "•••"}' in told


def test_long_values_are_folded_and_large_ones_left_out(viewer: Client) -> None:
    row = stored_job()
    stored_step(row, "long", {"numbers": list(range(50))})
    stored_step(row, "large", [str(number) for number in range(20_000)])

    html = viewer.get(f"{LIST}{row.pk}/change/").content.decode()

    assert "<summary>54 lines</summary>" in html
    assert "too large to be shown" in html
    assert "19999" not in html


def test_of_many_values_there_is_room_for_the_newest(viewer: Client) -> None:
    row = stored_job()
    for number in range(30):
        stored_step(row, f"page {number}", f"{number}-" + "x" * 9_000)

    html = viewer.get(f"{LIST}{row.pk}/change/").content.decode()

    assert len(html) < 150_000
    assert "page 0" in html
    assert "0-xxx" not in html[: html.index("page 19")]
    assert "29-xxx" in html


def test_a_job_without_steps_says_nothing_of_them(viewer: Client) -> None:
    assert "Steps" not in job_page(viewer, stored_job().pk)
