"""`manage.py jobs process`: which processes there are, and how one is calmed or stopped."""

import json

import pytest
from django.core.management import CommandError

from forge_jobs.models import Process, ProcessState
from tests.commands.conftest import Jobs
from tests.factories import process_named

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]


def wish(process: Process) -> tuple[str | None, str]:
    process.refresh_from_db()
    return process.requested_state, process.requested_by


def test_all_processes_are_shown(jobs: Jobs) -> None:
    process_named("web1", pid=4629)
    process_named("web2", pid=4630)

    lines = jobs("process").out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["process", "host", "pid"],
        ["web1", "tests", "4629"],
        ["web2", "tests", "4630"],
    ]
    assert [one["name"] for one in json.loads(jobs("process", "--json").out)] == ["web1", "web2"]


def test_a_process_is_calmed_let_go_and_stopped(jobs: Jobs) -> None:
    process = process_named("web1")

    assert jobs("process", "web1", "--quiet").out.startswith("Asked to be quiet.\n")
    assert wish(process) == (ProcessState.QUIET, "manage.py jobs")
    assert jobs("process", "web1", "--quiet").out.startswith("It was asked to already.\n")
    assert jobs("process", "web1", "--claim").out.startswith("Asked to claim again.\n")
    assert jobs("process", "web1", "--claim").out.startswith("It was not made quiet.\n")
    assert jobs("process", "web1", "--stop").out.startswith("Asked to stop.\n")
    assert wish(process)[0] == ProcessState.STOPPING


def test_of_two_that_have_the_name_the_host_tells_which(jobs: Jobs) -> None:
    here, there = process_named("jobs", host="here"), process_named("jobs", host="there")

    with pytest.raises(CommandError, match="add --host, one of here, there"):
        jobs("process", "jobs", "--stop")
    jobs("process", "jobs", "--host", "there", "--stop")
    assert (wish(here)[0] or "", wish(there)[0]) == ("", ProcessState.STOPPING)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["wbe1"], "There is no process wbe1, only web1. Did you mean 'web1'"),
        (["web1", "--host", "mars"], "There is no process web1 on mars, only web1"),
        (["--stop"], "Say which process"),
        (["web1", "--stop", "--quiet"], "not allowed with"),
    ],
)
def test_what_can_not_be_is_refused(jobs: Jobs, words: list[str], told: str) -> None:
    process_named("web1")

    with pytest.raises(CommandError, match=told):
        jobs("process", *words)
