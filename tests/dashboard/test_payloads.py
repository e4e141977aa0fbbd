"""Payloads in short: what tells one job from the next, and nothing that is hidden."""

from typing import Any

import pytest
from pytest_django import Settings

from forge_jobs.dashboard.job_line import JobLine
from forge_jobs.dashboard.job_list import JobList
from forge_jobs.dashboard.payloads import LARGEST, LONGEST, in_short
from forge_jobs.models import State
from forge_jobs.operations.selection import Selection
from tests.conftest import NOON
from tests.rows import stored_job


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"picture_id": 658}, "picture_id=658"),
        ({"a": None, "b": True, "c": 1.5}, "a=null b=true c=1.5"),
        ({"to": "ada\n  lovelace"}, "to=ada lovelace"),
        (
            {"ids": [1, 2], "none": [], "options": {"x": 1}, "no": {}},
            "ids=[…] none=[] options={…} no={}",
        ),
        ({}, ""),
        (None, ""),
        ([1, 2], ""),
    ],
    ids=str,
)
def test_a_payload_is_told_by_names_and_values(payload: Any, told: str) -> None:
    assert in_short(payload, kind="app.noop") == told


def test_it_is_short_whatever_is_in_it() -> None:
    assert in_short({"note": "x" * 99}, kind="app.noop") == "note=" + "x" * 39 + "…"
    assert len(in_short({f"k{n}": n for n in range(99)}, kind="app.noop")) == LONGEST


def test_what_nobody_should_read_is_hidden_and_nothing_inside_of_anything_is_shown(
    settings: Settings,
) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "REDACT": ["token"]}
    payload = {"Token": "s3cret", "user": {"token": "s3cret"}, "all": [{"token": "s3cret"}]}

    assert in_short(payload, kind="app.noop") == "Token=••• user={…} all=[…]"


@pytest.mark.django_db
def test_a_list_does_not_fetch_large_payloads() -> None:
    small = stored_job(payload={"picture_id": 1})
    large = stored_job(payload={"text": "".join(map(chr, range(0x4E00, 0x4E00 + LARGEST * 2)))})

    page = JobList(selection=Selection(states=list(State)), now=NOON).page()
    lines = {job.pk: JobLine.of(job, now=NOON).payload for job in page.jobs}
    assert lines == {small.pk: "picture_id=1", large.pk: ""}
