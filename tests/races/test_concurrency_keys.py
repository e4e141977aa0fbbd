"""Concurrency keys hold over processes: no overlap within a key, and the oldest first."""

from collections import defaultdict
from itertools import pairwise

import pytest

from forge_jobs.models import Job, State
from tests.app.jobs import serve
from tests.app.models import Effect
from tests.running import Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

KEYS = 50
JOBS = 5_000


@pytest.mark.full_size
def test_no_two_runs_of_a_key_overlap() -> None:
    serve.enqueue_many(
        [
            {"customer": number % KEYS, "place": number // KEYS, "seconds": 0.001}
            for number in range(JOBS)
        ]
    )
    with Runjobs("--processes", "6", "--threads", "4") as runjobs:
        eventually(lambda: not Job.objects.unfinished().exists(), patience=90)
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
