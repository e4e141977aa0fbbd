"""`manage.py jobs`: what it shows, what it enqueues, and what it says when it can't."""

import json
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pytest_django import Settings

from forge_jobs.clock import ManualClock
from forge_jobs.models import Lease, State
from forge_jobs.models.lease import SERVICES
from tests.commands.conftest import Jobs
from tests.conftest import NOON
from tests.factories import process_named
from tests.planned import planned_schedule
from tests.rows import claim, finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

SECOND = timedelta(seconds=1)


def busy() -> None:
    """Two processes, one of them silent; a job that runs, one that waits, two for nobody."""
    web1 = process_named(
        "web1",
        pid=4629,
        version="0.1.0",
        threads=8,
        running=1,
        rss_bytes=84 * 2**20,
        queues=["default"],
        kinds=["app.noop"],
        trouble="no thread\nis left.",
    )
    process_named("web2", heartbeat_at=NOON - 45 * SECOND, threads=4)
    Lease.objects.take(SERVICES, process=web1, now=NOON, life=SECOND)
    stored_job()
    claim(web1)
    stored_job(run_at=NOON - 125 * SECOND)
    stored_job(kind="app.gone")
    stored_job(queue="other", run_at=NOON - 3 * SECOND)
    finished_job()


def test_the_status_is_told_in_tables_that_fit_a_terminal(jobs: Jobs) -> None:
    busy()

    assert jobs("status").out == SCREEN


SCREEN = """\
2026-03-02 12:00:00 UTC, leader: web1

queue    scheduled  ready  blocked  running  retrying  succeeded  dead  cancelled        lag  served
default          -      2        -        1         -          -     1          -  2 min 5 s  yes
images           -      -        -        -         -          -     -          -          -  no
other            -      1        -        -         -          -     -          -        3 s  no
publish          -      -        -        -         -          -     -          -          -  no

process  host    pid  state    running  memory  version  heartbeat
web1     tests  4629  running   1 of 8  84 MiB  0.1.0      0 s ago
web2     tests     1  silent    0 of 4       -            45 s ago

No live process of queue default knows the kind app.gone.
No live process serves queue other.
Process web2 is silent: it has been lost, or has lost the database.
Process web1 is in trouble: no thread is left.
"""


def test_long_names_are_shortened_in_their_middle(jobs: Jobs) -> None:
    pod = "jobs-worker-7c9d8b6f5d-abcde"
    process_named(f"{pod}-12345-9f3c", host=pod, pid=12345, version="0.1.0", rss_bytes=2**30)

    line = jobs("status").out.splitlines()[-1]
    assert line.startswith("jobs-work…12345-9f3c  jobs-…-abcde  12345")
    assert len(line) <= 100


def test_an_idle_status_says_that_nothing_runs(jobs: Jobs) -> None:
    assert "no leader" in (out := jobs("status").out)
    assert out.endswith("\n\nNo process runs.\n")


def test_the_status_as_json_has_durations_in_seconds_and_moments_in_iso_format(jobs: Jobs) -> None:
    busy()
    document = json.loads(jobs("status", "--json").out)

    assert (document["at"], document["leader"]) == (NOON.isoformat(), "web1")
    assert document["queues"][0] == {
        "name": "default",
        "counts": {str(state): 0 for state in State} | {"ready": 2, "running": 1, "dead": 1},
        "lag_seconds": 125.0,
        "is_served": True,
        "is_paused": False,
        "cools_until": None,
    }
    web1, web2 = document["processes"]
    assert (web1["is_live"], web1["rss_bytes"], web1["heartbeat_age_seconds"]) == (
        True,
        84 * 2**20,
        0,
    )
    assert (web2["is_live"], web2["heartbeat_at"]) == (False, (NOON - 45 * SECOND).isoformat())
    assert [nobody["kind"] for nobody in document["unserved"]] == ["app.gone", None]


@pytest.fixture
def three_looks(monkeypatch: pytest.MonkeyPatch, manual_clock: ManualClock) -> list[float]:
    """A watch ends after its third look, as by Ctrl-C; these are the pauses."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        manual_clock.advance(timedelta(seconds=seconds))
        if len(pauses) % 3 == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr("forge_jobs.management.watching.time.sleep", sleep)
    return pauses


def test_a_watch_looks_every_two_seconds_until_ctrl_c(jobs: Jobs, three_looks: list[float]) -> None:
    out = jobs("status", "--watch").out

    assert three_looks == [2.0, 2.0, 2.0]
    for second in (0, 2, 4):
        assert f"12:00:0{second} UTC" in out
    assert "\033" not in out, "only a terminal is cleared"


def test_a_watch_as_json_is_one_document_a_line(jobs: Jobs, three_looks: list[float]) -> None:
    lines = jobs("status", "--watch", "1m", "--json").out.splitlines()

    assert [json.loads(line)["at"] for line in lines] == [
        (NOON + minutes * timedelta(minutes=1)).isoformat() for minutes in range(3)
    ]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("three_looks")
@pytest.mark.parametrize(("words", "times"), [([], 3), (["--json"], 0)], ids=str)
def test_a_terminal_is_cleared_before_each_look_but_not_between_documents(
    words: list[str], times: int
) -> None:
    call_command("jobs", "status", "--watch", *words, stdout=(terminal := Terminal()))

    assert terminal.getvalue().count("\033[H\033[2J") == times


@pytest.mark.django_db(transaction=True)
def test_a_watch_outlives_trouble_with_the_database(
    jobs: Jobs, three_looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patches:
        patches.setattr("forge_jobs.operations.status.Status.read", lost_connection)
        words, document = jobs("status", "--watch").out, jobs("status", "--watch", "--json").out

    assert "The job database can't be used: it is gone." in words
    assert json.loads(document.splitlines()[-1]).keys() == {"error"}
    assert len(three_looks) == 6


def lost_connection(*, now: datetime) -> None:
    raise OperationalError("it is gone")


def test_all_is_well_where_all_is_well(jobs: Jobs) -> None:
    process_named("here")

    assert jobs("health").out == "All is well.\n"
    assert jobs("health", "--verbosity", "0").out == ""


def test_ill_health_is_told_and_ends_with_1(jobs: Jobs, capsys: pytest.CaptureFixture[str]) -> None:
    process_named("here")
    stored_job(queue="other", run_at=NOON - 45 * SECOND)

    assert jobs("health").out == "All is well.\n"
    with pytest.raises(SystemExit) as end:
        call_command("jobs", "health", "--max-lag", "44")
    assert end.value.code == 1
    told = "No live process serves queue other. Jobs have waited for 45 s.\n"
    assert capsys.readouterr().out == told


def test_an_unknown_verb_and_none_at_all_are_refused(jobs: Jobs) -> None:
    for words in ([], ["dance"]):
        with pytest.raises(CommandError, match=r"VERB|verb"):
            jobs(*words)


def test_show_and_schedules_hide_what_nobody_should_read(jobs: Jobs, settings: Settings) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "REDACT": ["password"]}
    hiding = {"password": "hunter2", "user": "ada"}
    row = finished_job(payload=hiding, result=hiding, context=hiding)
    planned_schedule(payload=hiding)

    said = jobs("show", str(row.pk)).out + jobs("schedule", "list", "--json").out
    assert said.count("•••") == 4
    assert said.count("ada") == 4
    assert "hunter2" not in said
