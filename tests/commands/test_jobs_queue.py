"""`manage.py jobs queue`: how queues are set up and what holds them up, and how one is steered."""

from datetime import timedelta

import pytest
from django.core.management import CommandError

from forge_jobs.models import Queue, RateLimitBudget
from tests.commands.conftest import Jobs
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

SCREEN = """\
queue    state                 running  max workers  budget   keeps succeeded  keeps failed
default  running                     1            -  -        7 d 0 h          30 d 0 h
images   cooling for 1 min 5 s       -            3  partner  not at all       for ever
other    paused                      -            -  -        7 d 0 h          30 d 0 h
publish  unserved                    -            0  -        7 d 0 h          30 d 0 h
"""


def row(name: str = "default") -> Queue:
    queue: Queue = Queue.objects.get(name=name)
    return queue


def test_all_queues_are_shown_as_they_are_steered(jobs: Jobs) -> None:
    jobs("queue")
    stored_job()
    claim(process_named("here", queues=["default", "images", "other"]))
    Queue.objects.pause("other")
    Queue.objects.throttle("images", retry_after=timedelta(seconds=65), now=NOON)
    Queue.objects.retune(
        "images",
        max_workers=3,
        budget="partner",
        retain_succeeded_seconds=0,
        retain_failed_seconds=None,
    )
    Queue.objects.retune("publish", max_workers=0)

    assert jobs("queue").out.split() == SCREEN.split()


def test_a_queue_is_paused_and_resumed(jobs: Jobs) -> None:
    assert jobs("queue", "default", "--pause").out.startswith("Paused.\n")
    assert row().is_paused
    assert jobs("queue", "default", "--pause").out.startswith("It is paused already.\n")
    assert jobs("queue", "default", "--resume").out.startswith("Resumed.\n")
    assert not row().is_paused
    assert jobs("queue", "default", "--resume").out.startswith("It is not paused.\n")


def test_a_cooling_is_ended(jobs: Jobs) -> None:
    jobs("queue")
    Queue.objects.throttle("default", retry_after=timedelta(seconds=65), now=NOON)

    assert jobs("queue", "default", "--cool-off").out.startswith("Cooling ended.\n")
    assert (row().throttled_until, row().throttle_attempts) == (None, 0)
    assert jobs("queue", "default", "--cool-off").out.startswith("It is not cooling.\n")


def test_limits_budget_and_retention_are_set_and_lifted(jobs: Jobs) -> None:
    RateLimitBudget.objects.create(name="partner", capacity=1, refill_per_second=1, tokens=1)
    words = ["--max-workers", "3", "--budget", "partner", "--retain-succeeded", "2d"]

    assert jobs("queue", "default", *words).out.startswith("Changed.\n")
    assert (row().max_workers, row().budget) == (3, "partner")
    assert row().retain_succeeded_seconds == 2 * 86_400
    assert row().retain_failed_seconds == 30 * 86_400
    assert jobs("queue", "default", *words).out.startswith("It is set so already.\n")
    jobs("queue", "default", "--max-workers", "none", "--budget", "none", "--retain-failed", "none")
    assert (row().max_workers, row().budget, row().retain_failed_seconds) == (None, "", None)


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["defalt"], "no queue defalt, only default, images"),
        (["--pause"], "Say which queue"),
        (["default", "--max-workers", "-1"], "no number of workers"),
        (["default", "--max-workers", "many"], "no number of workers"),
        (["default", "--budget", "slak"], "no budget slak, only none"),
        (["default", "--pause", "--resume"], "not allowed with"),
    ],
    ids=" ".join,
)
def test_what_can_not_be_is_refused(jobs: Jobs, words: list[str], refusal: str) -> None:
    with pytest.raises(CommandError, match=refusal):
        jobs("queue", *words)


def test_the_status_tells_of_queues_that_are_paused_or_cooling(jobs: Jobs) -> None:
    process_named("here", queues=["default", "images"])
    jobs("queue", "default", "--pause")
    Queue.objects.throttle("images", retry_after=timedelta(seconds=65), now=NOON)

    lines = jobs("status").out.splitlines()
    assert [line.split()[-1] for line in lines[2:7]] == ["served", "paused", "cooling", "no", "no"]
    assert lines[-2:] == [
        "Queue default is paused.",
        "Queue images cools down until 2026-03-02 12:01:05 UTC, in 1 min 5 s.",
    ]
