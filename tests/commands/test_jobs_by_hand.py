"""`manage.py jobs show` and `enqueue`: one job at a time."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError

from forge_jobs import batch, open_batch
from forge_jobs.models import Job, Process, State
from tests.app.jobs import noop
from tests.commands.conftest import Jobs
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

SECOND = timedelta(seconds=1)


def test_all_of_a_job_is_shown(jobs: Jobs) -> None:
    error = {"at": (NOON - 9 * SECOND).isoformat(), "attempt": 2, "message": "no\x1b[2J"}
    job = finished_job(
        pk=7,
        payload={"name": "Zoë"},
        result=[1],
        context={"trace": "abc"},
        enqueued_at=NOON - timedelta(days=3),
        run_at=NOON - timedelta(hours=3),
        started_at=NOON - 70 * SECOND,
        finished_at=NOON - 8 * SECOND,
        max_attempts=5,
        timeout_seconds=90,
        dedupe_key="one",
        idempotency_key="once",
        errors=[error | {"traceback": "Traceback:\n  line 1\nno"}],
        last_error="the last word",
    )

    assert jobs("show", str(job.pk)).out == SHOWN


SHOWN = """\
app.noop #7
  state            dead
  queue            default
  priority         0
  attempts         3 of 5
  timeout          1 min 30 s
  enqueued at      2026-02-27 12:00:00 UTC, 3 d 0 h ago
  run at           2026-03-02 09:00:00 UTC, 3 h 0 min ago
  started at       2026-03-02 11:58:50 UTC, 1 min 10 s ago
  finished at      2026-03-02 11:59:52 UTC, 8 s ago
  took             1 min 2 s
  dedupe key       one
  idempotency key  once

payload
  {
    "name": "Zoë"
  }

result
  [
    1
  ]

context
  {
    "trace": "abc"
  }

error of attempt 2, 2026-03-02 11:59:51 UTC, 9 s ago
  no\\x1b[2J
    Traceback:
      line 1
    no

last error
  the last word
"""


def test_of_a_job_that_runs_its_process_and_what_it_was_told_are_shown(jobs: Jobs) -> None:
    process = process_named("web1", pid=4629)
    job = stored_job(max_attempts=None)
    claim(process)
    Job.objects.cancel("enough\nof it", now=NOON - SECOND)
    shown = jobs("show", str(job.pk)).out

    assert "  process        web1 (pid 4629 on tests)\n" in shown
    assert (
        "  asked to stop  2026-03-02 11:59:59 UTC, 1 s ago\n  because        enough of it\n"
        in shown
    )
    assert "  attempts       1 of any number\n" in shown
    Process.objects.all().delete()
    assert (
        f"one that has been forgotten (its id was {process.pk})\n" in jobs("show", str(job.pk)).out
    )


def test_a_job_that_waits_is_shown_with_the_time_it_has_left(jobs: Jobs) -> None:
    job = stored_job(state=State.SCHEDULED, run_at=NOON + timedelta(minutes=5))

    assert "12:05:00 UTC, in 5 min 0 s\n" in jobs("show", str(job.pk)).out


def test_a_job_is_shown_with_its_batch_and_what_it_comes_after_and_before(jobs: Jobs) -> None:
    first = finished_job(State.SUCCEEDED)
    with batch("rows") as rows:
        member = noop.enqueue()
    job = noop.using(batch=open_batch("all"), after=[first, member], after_end=rows).enqueue()
    follower = noop.using(after_failure=job).enqueue()

    shown = jobs("show", str(job.pk)).out
    assert f"  batch        all #{job.batch_id}, open\n" in shown
    assert blocks(shown)[1:3] == [
        [
            "comes after",
            f"  app.noop #{member.pk} ready",
            f"  batch rows #{rows.pk} sealed, however it ends",
            f"  app.noop #{first.pk} succeeded",
        ],
        ["comes before", f"  app.noop #{follower.pk} held, if it fails"],
    ]


def test_of_thousands_of_followers_ten_are_shown(jobs: Jobs) -> None:
    with batch("rows") as rows:
        first = noop.enqueue()
    noop.using(after=[first, rows]).enqueue_many([{}] * 12)

    for verb in (["show", str(first.pk)], ["batch", "show", str(rows.pk)]):
        before = blocks(jobs(*verb).out)[1]
        assert (len(before), before[0], before[-1]) == (12, "comes before", "  and more")


def blocks(shown: str) -> list[list[str]]:
    """By lines, whatever the width of their columns."""
    return [
        [re.sub(r"(?<=\S) +", " ", line) for line in block.splitlines()]
        for block in shown.split("\n\n")
    ]


def test_a_job_that_does_not_exist_can_not_be_shown(jobs: Jobs) -> None:
    with pytest.raises(CommandError, match="no job with the id 7"):
        jobs("show", "7")


def test_a_job_is_enqueued_by_its_kind_alone_and_its_id_printed(jobs: Jobs) -> None:
    said = jobs("enqueue", "app.noop")

    job = Job.objects.get()
    assert said == (f"{job.pk}\n", "")
    assert (job.kind, job.payload, job.state) == ("app.noop", {}, State.READY)


def test_a_job_is_enqueued_with_everything_that_can_be_said_of_it(jobs: Jobs) -> None:
    words = ["--queue", "other", "--priority", "-5", "--delay", "2m", "--max-attempts", "9"]
    keys = ["--dedupe-key", "one", "--idempotency-key", "once"]
    labels = ["--label", "customer:7", "--label", "import"]
    jobs("enqueue", "app.effect", *words, '{"number": 7}', *keys, *labels)

    job = Job.objects.get()
    assert job.payload == {"number": 7}
    assert (job.queue, job.priority, job.max_attempts) == ("other", -5, 9)
    assert (job.dedupe_key, job.idempotency_key) == ("one", "once")
    assert "labels           customer:7, import\n" in jobs("show", str(job.pk)).out
    assert (job.state, job.run_at) == (State.SCHEDULED, NOON + 120 * SECOND)


@pytest.mark.parametrize("moment", ["2026-03-02T14:30:00+01:00", "2026-03-02 13:30Z"])
def test_a_job_is_enqueued_for_a_moment(jobs: Jobs, moment: str) -> None:
    jobs("enqueue", "app.noop", "--run-at", moment)

    assert Job.objects.get().run_at == NOON + timedelta(minutes=90)


def test_a_job_that_was_there_already_is_printed_and_said_to_be_so(jobs: Jobs) -> None:
    job = stored_job(dedupe_key="one")
    words = ["enqueue", "app.noop", "--dedupe-key", "one"]

    told = f"Nothing was stored: app.noop #{job.pk} has the key already.\n"
    assert jobs(*words) == (f"{job.pk}\n", told)
    assert jobs(*words, "--verbosity", "0") == (f"{job.pk}\n", "")

    changed = [*words, "--on-duplicate", "replace", "--expires-in", "1h"]
    assert jobs(*changed).err == f"It was replaced: app.noop #{job.pk} has the key already.\n"
    assert Job.objects.get().expires_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["app.gone"], "kind 'app.gone' has no handler"),
        (["app.noop", "[1]"], "payload must be a dictionary"),
        (["app.noop", '{"x": 1}'], "'x' is unexpected"),
        (["app.noop", "--queue", "typo"], "queue 'typo' is not declared"),
        (["app.noop", "--priority", "101"], "priority must be"),
        (["app.noop", "--max-attempts", "0"], "max_attempts must be"),
        (["app.noop", "--dedupe-key", ""], "dedupe_key must be"),
        (["app.noop", "--delay", "1", "--run-at", "2026-03-02T12:00Z"], "delay can't be given"),
        (["app.noop", '{"x" 1}'], "argument JSON: .* line 1, column 6, before '1}'"),
        (["app.noop", '{"x": [1,'], "argument JSON: .* line 1, column 10, at its end"),
        (["app.noop", "[" * 100_000], "argument JSON: is nested too deeply"),
        (["app.noop", "--run-at", "tomorrow"], "--run-at: 'tomorrow' is no date"),
        (["app.noop", "--run-at", "2026-03-02T12:00"], "--run-at: .* its offset from UTC"),
        (["app.noop", "--delay", "soon"], "--delay: 'soon' is no duration; write 30s"),
        (["app.noop", "--priority", "high"], "--priority: invalid int value"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_can_not_be_enqueued_is_refused_by_name(
    jobs: Jobs, words: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        jobs("enqueue", *words)
    assert not Job.objects.exists()
