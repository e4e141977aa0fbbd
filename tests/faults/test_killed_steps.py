"""Steps, walks and completions in processes that are killed: what is stored is never done again."""

import os
import random
import signal
import time
from datetime import datetime

import pytest
from django.db.models import Count, Max, Min, Sum

from forge_jobs.models import Job, JobStep, Process, State
from tests.app.jobs import complete_and_die, in_steps, walk_over_effects
from tests.app.models import Effect
from tests.running import Runjobs, eventually
from tests.sizes import sized

EVERY = 50
LONG = 600.0
LIFE = 2.0
"""Seconds. Who dies younger than that, as the one before it did, is replaced later and later."""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.timeout(2 * LONG + 100),
]


def unfinished() -> bool:
    return Job.objects.unfinished().exists()


def wait_or(seconds: float) -> None:
    """Until all has ended, at most so long."""
    deadline = time.monotonic() + seconds
    while unfinished() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_steps_never_run_twice_once_they_are_stored() -> None:
    chance = random.Random(19)
    in_steps.enqueue_many([{"number": number} for number in range(60)])
    kills = 0

    with Runjobs("--processes", "2", "--threads", "2") as runjobs:
        eventually(Effect.objects.exists)
        while unfinished() and kills < 4:
            os.kill(chance.choice(runjobs.pids[1:]), signal.SIGKILL)
            kills += 1
            wait_or(0.8)
        eventually(lambda: not unfinished())

    assert kills >= 2, "It was over before anything could go wrong."
    results = Job.objects.values_list("state", "result")
    assert all(row == (State.SUCCEEDED, [0, 1, 2, 3, 4]) for row in results)
    runs = Effect.objects.values("number").annotate(runs=Count("pk")).order_by("number")
    assert [row["number"] for row in runs] == [
        10 * n + step for n in range(60) for step in range(5)
    ]
    assert not Effect.objects.filter(ended=1.0).exists(), "A step ran that was stored."
    assert {row["runs"] for row in runs if row["number"] % 2} == {1}, "An atomic step ran twice."
    assert JobStep.objects.count() == 5 * 60


@pytest.mark.parametrize(
    ("rows", "seconds", "most_kills"),
    [
        (1_200, 0.004, 3),
        pytest.param(
            sized(20_000, full=100_000), 0.0, sized(8, full=1_000), marks=pytest.mark.full_size
        ),
    ],
)
def test_a_walk_visits_each_row_and_few_of_them_again(
    rows: int, seconds: float, most_kills: int
) -> None:
    Effect.objects.bulk_create((Effect(number=number) for number in range(rows)), batch_size=1_000)
    stored = walk_over_effects.enqueue(every=EVERY, seconds=seconds)
    kills, until = 0, time.monotonic() + LONG

    with Runjobs("--processes", "1", "--threads", "1"):
        killed: set[datetime] = set()
        while kills < most_kills and time.monotonic() < until:
            run = next_run(killed)
            if run is None:
                break
            killed.add(run)
            wait_or(LIFE if most_kills > 3 else 0.0)
            os.kill(Process.objects.get().pid, signal.SIGKILL)
            kills += 1
        eventually(lambda: not unfinished(), patience=LONG)

    stored.refresh_from_db()
    visits = Effect.objects.aggregate(Min("began"), Max("began"), Sum("began"))
    assert stored.state == State.SUCCEEDED, stored.errors
    assert kills >= 3, "It was over before it would have had too few attempts."
    assert visits["began__min"] == 1, visits
    assert rows <= visits["began__sum"] <= rows + kills * EVERY, (visits, kills)


def next_run(killed: set[datetime]) -> datetime | None:
    """When a run began that has stored how far it came, and was not killed; None at the end."""

    def on_its_way() -> set[datetime]:
        running = set(Job.objects.running().values_list("started_at", flat=True))
        return (running & set(JobStep.objects.values_list("claimed_at", flat=True))) - killed

    eventually(lambda: not unfinished() or bool(on_its_way()))
    return next(iter(on_its_way()), None)


def test_jobs_that_were_complete_when_their_process_died_are_successes() -> None:
    complete_and_die.enqueue_many([{"number": number} for number in range(4)])

    with Runjobs("--processes", "1", "--threads", "1"):
        eventually(lambda: not unfinished())

    ended = Job.objects.order_by("pk").values_list("state", "result", "attempt")
    assert list(ended) == [(State.SUCCEEDED, number, 1) for number in range(4)]
    assert sorted(Effect.objects.values_list("number", flat=True)) == [0, 1, 2, 3]
