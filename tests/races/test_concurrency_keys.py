"""Concurrency keys hold over processes: no overlap within a key, and the oldest first."""

from collections import defaultdict
from itertools import pairwise
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from forge_jobs import db
from forge_jobs.models import Job, State
from tests.app.jobs import serve
from tests.app.models import Effect
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, transition
from tests.running import PATIENCE, Runjobs, eventually
from tests.sizes import sized

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = 50
JOBS = sized(1_500, full=5_000)


def test_the_oldest_is_next_though_somebody_looks_who_may_promote_it() -> None:
    serve.enqueue_many([{"customer": 1}] * 3)
    here = process_named("here")
    (ended,) = claim(here, kinds=["app.serve"])
    outcome = transition(ended, finished_at=NOON)
    looks, is_done = Event(), Event()

    def look() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            assert db.twin().promote(cursor, ["customer 1"]) == []
            looks.set()
            is_done.wait(0.3)
        connection.close()

    somebody = Thread(target=look)
    somebody.start()
    assert looks.wait(PATIENCE)
    held, _ = Job.objects.finalize_and_promote([outcome], process=here)
    is_done.set()
    somebody.join(PATIENCE)

    assert set(held) == {ended.id}
    states = Job.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.SUCCEEDED, State.READY, State.BLOCKED]


@pytest.mark.processes
@pytest.mark.full_size
def test_no_two_runs_of_a_key_overlap() -> None:
    serve.enqueue_many(
        [
            {"customer": number % KEYS, "place": number // KEYS, "seconds": 0.001}
            for number in range(JOBS)
        ]
    )
    with Runjobs("--processes", "6", "--threads", "4") as runjobs:
        eventually(lambda: not Job.objects.unfinished().exists())
        runjobs.terminate()
        assert runjobs.wait()[0] == 0, runjobs.output

    assert Job.objects.filter(state=State.SUCCEEDED).count() == JOBS
    spans: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for number, began, ended in Effect.objects.values_list("number", "began", "ended"):
        customer, place = divmod(number, 1_000)
        spans[customer].append((began, ended, place))
    for runs in spans.values():
        runs.sort()
        assert [place for *_, place in runs] == list(range(JOBS // KEYS))
        assert all(before[1] <= after[0] for before, after in pairwise(runs))
