"""The clients in docs/api.md, as they stand there, with a server of the project's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from forge_jobs import job
from forge_jobs.models import Job
from tests.api.callers import ROOT, superuser, token_of
from tests.pages.blocks import blocks
from tests.pages.shop import ROOT as PROJECT
from tests.running import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def environment(live_server: Any) -> dict[str, str]:
    """Of a program that has a token."""

    @job(kind="orders.send_receipt", api=True, redact=["card"])
    def send_receipt(order_id: int, card: str = "") -> None: ...

    permissions = ("add_job", "view_job", "retry_job", "cancel_job", "delete_job")
    _, text = token_of(superuser(), *permissions)
    return os.environ | {"JOBS_API": f"{live_server.url}{ROOT}", "JOBS_TOKEN": text}


def ran(*words: str, environment: dict[str, str], code: str) -> str:
    """What a program that is written on the page prints."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"there is no {words[0]}")
    ended = subprocess.run(
        words, input=code, env=environment, capture_output=True, text=True, timeout=2 * PATIENCE
    )
    assert not ended.returncode, ended.stdout + ended.stderr
    return ended.stdout


def on_the_page(language: str) -> str:
    (block,) = [one for one in blocks(PROJECT / "docs/api.md") if one.language == language]
    return block.code


def test_a_shell_enqueues_reads_and_cancels(environment: dict[str, str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    printed = ran("bash", "-euo", "pipefail", environment=environment, code=on_the_page("sh"))

    job = Job.objects.get()
    assert (job.state, job.cancel_reason) == ("cancelled", "the order was withdrawn")
    *_, foreseen = printed.split("}{")
    assert json.loads("{" + foreseen)["count"] == 1
    assert f'"jobs":[{{"id":{job.pk},' in printed


def test_node_enqueues_once_and_goes_through_a_list(environment: dict[str, str]) -> None:
    printed = ran(
        "node", "--input-type=module", "-", environment=environment, code=on_the_page("js")
    )

    assert printed.split() == ["new", "kept", "true", "ready", "4711", "orders.send_receipt"]
    assert Job.objects.count() == 1
