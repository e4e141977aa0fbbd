"""Who comes next of a concurrency key is claimed in the commit of the one that had it."""

import math
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, Queue
from forge_jobs.runtime.claiming.buffer import LONGEST_WAIT
from forge_jobs.runtime.claiming.heirs import SHORT_WAIT
from forge_jobs.runtime.claiming.rings import ROOM
from forge_jobs.runtime.claiming.room import SHARE_OF_HEIRS
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.finalizer import Finalizer
from forge_jobs.runtime.retirement import Limits
from forge_jobs.wake.local import Bell
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.rows import claim
from tests.running import PATIENCE
from tests.runtime.inheriting import end, held, inherited

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no heirs"),
]


@pytest.mark.parametrize("keys", [1, 2])
def test_they_are_a_workers_next(
    idle: Engine, keys: int, finalizer: Finalizer, entrusted: list[str], told: list[str]
) -> None:
    jobs = held(idle, keys, waiting=2)
    end(finalizer, jobs)

    assert inherited(idle) == keys
    assert (entrusted, told) == ([], [])
    heir = idle.buffer.take()
    assert isinstance(heir, ClaimedJob)
    assert heir.attempt == 1
    assert heir.concurrency_key == "customer 0"
    assert Job.objects.blocked().count() == keys


def test_a_process_whose_jobs_are_inherited_is_never_without_one(
    idle: Engine, finalizer: Finalizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    drop = idle.claims.drop

    def counting(job: ClaimedJob) -> None:
        drop(job)
        counts.append(len(idle.claims))

    monkeypatch.setattr(idle.claims, "drop", counting)
    end(finalizer, held(idle))

    assert counts == [1]


def test_others_may_have_those_for_which_there_is_no_worker_here(
    idle: Engine, finalizer: Finalizer, entrusted: list[str]
) -> None:
    end(finalizer, held(idle, 3))

    assert inherited(idle) == idle.options.threads == 2
    assert entrusted == ["app.serve of default"]


def test_so_may_they_where_other_jobs_wait_for_the_workers(
    idle: Engine, finalizer: Finalizer, entrusted: list[str]
) -> None:
    lane, *_ = idle.fetcher.lanes
    lane.hear_of_work()
    end(finalizer, held(idle))

    assert inherited(idle) == 0
    assert entrusted == ["app.serve of default"]


@pytest.mark.parametrize(("awaits_worker", "expected"), [(False, 1), (True, 0)])
def test_jobs_that_wait_for_more_than_a_worker_keep_nobody_waiting(
    idle: Engine, awaits_worker: bool, expected: int, finalizer: Finalizer
) -> None:
    lane, *_ = idle.fetcher.lanes
    lane.hear_of_work()
    lane.rest(PATIENCE)
    lane.awaits_worker = awaits_worker
    end(finalizer, held(idle))

    assert inherited(idle) == expected


@pytest.mark.parametrize(("waited", "expected"), [(0.0, 1), (2 * SHORT_WAIT, 0)])
def test_but_for_a_moment(idle: Engine, waited: float, expected: int, finalizer: Finalizer) -> None:
    lane, *_ = idle.fetcher.lanes
    jobs = held(idle)
    idle.fetcher.lanes.hear(idle.fetcher.bell, 0.0)
    idle.fetcher.lanes.were_served_at -= waited
    lane.hear_of_work()
    end(finalizer, jobs)

    assert inherited(idle) == expected
    assert Job.objects.ready().count() == 1 - expected


@pytest.mark.parametrize(
    "terms",
    [
        {"max_workers": 3},
        {"budget": "tokens"},
        {"is_paused": True},
    ],
)
def test_a_queue_on_terms_is_claimed_from_by_those(
    idle: Engine, terms: dict[str, Any], finalizer: Finalizer
) -> None:
    jobs = held(idle)
    Queue.objects.update_or_create(name="default", defaults=terms)
    idle.steering.run_once(now=NOON)
    end(finalizer, jobs)

    assert Job.objects.ready().count() == 1


@pytest.mark.parametrize("kind", ["app.limited", "app.perilous"])
def test_kinds_that_take_more_than_a_worker_are_claimed_as_ever(
    idle: Engine, kind: str, finalizer: Finalizer
) -> None:
    end(finalizer, held(idle, kind=kind))

    assert Job.objects.ready().count() == 1


@pytest.mark.parametrize("how", ["stops", "is quiet", "retires"])
def test_a_process_that_ends_has_none(idle: Engine, how: str, finalizer: Finalizer) -> None:
    jobs = held(idle)
    ways: dict[str, Callable[[], object]] = {
        "stops": idle.fetcher.stopping.set,
        "is quiet": idle.lifecycle.be_quiet,
        "retires": lambda: idle.lifecycle.retire("it uses too much memory"),
    }
    ways[how]()
    end(finalizer, jobs)

    assert Job.objects.ready().count() == 1


def test_nor_has_one_that_counts_its_jobs(
    idle: Engine, finalizer: Finalizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle.fetcher.room, "_limits", Limits(max_jobs=1_000))
    end(finalizer, held(idle))

    assert Job.objects.ready().count() == 1


def test_those_that_an_ending_fetcher_finds_in_the_buffer_are_given_back(
    idle: Engine, finalizer: Finalizer
) -> None:
    end(finalizer, held(idle))
    idle.fetcher.stop()
    idle.fetcher.work()
    finalizer.finalize(finalizer.next_group())

    assert not Job.objects.claimed_by(idle.process).exists()
    assert not idle.claims
    assert Job.objects.ready().get().attempt == 0


@pytest.mark.parametrize(
    ("until", "rung"), [(math.inf, 1), (2 * LONGEST_WAIT, 1), (LONGEST_WAIT / 2, 0)]
)
def test_the_fetcher_gives_back_in_time_what_no_worker_comes_for(
    idle: Engine, until: float, rung: int, finalizer: Finalizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    noop.enqueue_many([{}] * 2)
    idle.fetcher.rounds._supply(claim(idle.process))
    idle.fetcher.room.prefetch.jobs = 2 * SHARE_OF_HEIRS
    jobs, fetcher = held(idle), idle.fetcher
    fetcher.bell.sleeps_until = time.monotonic() + until
    rings: list[str] = []
    monkeypatch.setattr(fetcher.bell, "ring", rings.append)
    end(finalizer, jobs)

    assert inherited(idle) == 3
    assert rings.count(ROOM) == rung


def test_a_sleeping_fetcher_says_when_its_whole_sleep_ends(
    idle: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher, ends = idle.fetcher, list[float]()

    def heard(bell: Bell, seconds: float) -> bool:
        ends.append(bell.sleeps_until)
        return False

    monkeypatch.setattr(fetcher.lanes, "hear", heard)
    fetcher.sleep()

    first, second = ends
    assert time.monotonic() + LONGEST_WAIT < first == second < math.inf
    assert fetcher.bell.sleeps_until == math.inf
