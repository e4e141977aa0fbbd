"""`manage.py jobs list`: some jobs, a line each, or as JSON."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError

from forge_jobs.management import job_table
from forge_jobs.models import JobLabel, State
from tests.commands.conftest import Jobs
from tests.conftest import NOON
from tests.rows import finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

MINUTE = timedelta(minutes=1)


def ids(jobs: Jobs, *words: str) -> list[int]:
    return [job["id"] for job in json.loads(jobs("list", "--json", *words).out)]


def test_a_job_has_a_line(jobs: Jobs) -> None:
    finished_job(pk=7, finished_at=NOON - MINUTE, max_attempts=3, last_error="no\x1b[2J\nmore")
    stored_job(pk=8, state=State.SCHEDULED, run_at=NOON + MINUTE, max_attempts=5)

    assert jobs("list").out.splitlines() == [
        "id  kind      queue    state      attempt  when           last error",
        " 8  app.noop  default  scheduled   0 of 5  in 1 min 0 s",
        " 7  app.noop  default  dead        3 of 3  1 min 0 s ago  no\\x1b[2J more",
    ]


def test_jobs_are_chosen_as_for_the_other_verbs(jobs: Jobs) -> None:
    dead = finished_job(State.DEAD, finished_at=NOON - MINUTE, last_error="refused")
    done = finished_job(State.SUCCEEDED, queue="other", kind="mail.send", finished_at=NOON)
    ready = stored_job()

    assert ids(jobs) == [ready.pk, done.pk, dead.pk]
    assert ids(jobs, "--state", "dead,succeeded") == [dead.pk, done.pk]
    assert ids(jobs, "--queue", "other") == [done.pk]
    assert ids(jobs, "--kind", "mail.*") == [done.pk]
    assert ids(jobs, "--error", "refused") == [dead.pk]
    JobLabel.objects.put([(dead.pk, ["customer:7"]), (ready.pk, ["customer:7", "import"])])
    assert ids(jobs, "--label", "customer:7") == [ready.pk, dead.pk]
    assert ids(jobs, "--label", "customer:7", "--state", "dead") == [dead.pk]
    assert json.loads(jobs("list", "--json").out)[0]["labels"] == ["customer:7", "import"]
    assert ids(jobs, "--state", "dead", "--newer-than", "30s") == []
    assert ids(jobs, str(done.pk), str(dead.pk)) == [done.pk, dead.pk]


def test_a_document_holds_what_is_stored_and_steers_no_terminal(jobs: Jobs) -> None:
    error = "no\x1b[2J\x9b\u202e \\x9b Zoë"
    finished_job(last_error=error)

    said = jobs("list", "--json").out
    assert json.loads(said)[0]["last_error"] == error
    assert "Zoë" in said
    assert not {"\x1b", "\x9b", "\u202e"} & {*said}


def test_there_may_be_more_than_are_shown(jobs: Jobs) -> None:
    for _ in range(3):
        stored_job()

    said = jobs("list", "--limit", "2")
    assert len(said.out.splitlines()) == 1 + 2
    assert said.err == "There are more than 2; --limit shows up to 1,000.\n"
    assert jobs("list", "--limit", "3").err == ""


def test_a_look_through_many_has_an_end(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge_jobs.dashboard.job_list.LOOK", 2)
    finished_job(last_error="refused")
    for _ in range(3):
        stored_job()

    said = jobs("list", "--error", "refused")
    assert said == ("There are no such jobs.\n", f"{job_table.LOOKED}\n")


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "1e3"])
def test_a_limit_out_of_bounds_is_refused(jobs: Jobs, limit: str) -> None:
    with pytest.raises(
        CommandError, match=r"no whole number from 1 to 1,000|expected one argument"
    ):
        jobs("list", "--limit", limit)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["stauts"], "there is no verb 'stauts', .* Did you mean 'status'"),
        (["run_now"], "Did you mean 'run-now'"),
        (["schedule", "lst"], "there is no verb 'lst', only list, .* Did you mean 'list'"),
        (["queue", "defualt"], "There is no queue defualt, .* Did you mean 'default'"),
    ],
)
def test_a_word_that_is_not_known_is_told_with_the_nearest(
    jobs: Jobs, words: list[str], told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        jobs(*words)
