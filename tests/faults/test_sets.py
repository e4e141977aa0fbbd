"""Graphs of jobs whose processes are killed: all end as they should, nothing begins too early."""

import os
import random
import signal
from contextlib import suppress

import pytest

from forge_jobs import open_batch
from forge_jobs.models import Batch, BatchState, Gate, Job, State
from tests.app.jobs import effect, node
from tests.app.models import Effect
from tests.running import Runjobs, eventually
from tests.sets.graphs import Graph
from tests.sizes import sized

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

GRAPHS = sized(6, full=200)
ROWS = sized(1_000, full=20_000)


def test_graphs_end_as_they_should_though_processes_are_killed() -> None:
    chance = random.Random(19)
    graphs = [Graph.random(chance, size=30) for _ in range(GRAPHS)]
    killed: set[int] = set()

    with Runjobs("--processes", "3", "--threads", "4") as runjobs:
        eventually(lambda: len(runjobs.pids) >= 4)
        for graph in graphs:
            graph.enqueue(node, chance)
            killed.add(kill_one(runjobs, chance))
        eventually(lambda: not Job.objects.unfinished().exists())
        eventually(lambda: not Batch.objects.unended().exists())
        eventually(lambda: not Gate.objects.undone().exists())  # the leader's, of who was killed
        eventually(lambda: runjobs.output.count("was killed by SIGKILL") == len(killed))
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
    assert killed
    for graph in graphs:
        assert found(graph) == graph.expected()
    assert list(Effect.objects.filter(number=-1)) == []
    assert not Gate.objects.filter(is_done=False).exists()


def kill_one(runjobs: Runjobs, chance: random.Random) -> int:
    """Its pid, which may be that of one that has just been killed."""
    victim = chance.choice(runjobs.pids[1:])
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    return victim


def found(graph: Graph) -> tuple[list[str], dict[str, str]]:
    states = graph.found()[0]
    return states, {name: fresh(batch).state for name, batch in graph.batches.items()}


def fresh(batch: Batch) -> Batch:
    batch.refresh_from_db()
    return batch


def test_an_import_under_kills_tells_of_its_end_once() -> None:
    chance = random.Random(20_000)
    killed: set[int] = set()
    batch = open_batch("import", on_success=effect.new(number=-2), on_failure=effect.new(number=-3))

    with Runjobs("--processes", "2", "--threads", "4") as runjobs:
        for start in range(0, ROWS, 500):
            rows = [{"number": number} for number in range(start, start + 500)]
            effect.using(batch=batch, max_attempts=None).enqueue_many(rows)
            eventually(lambda: len(runjobs.pids) >= 3)
            killed.add(kill_one(runjobs, chance))
        batch.seal()
        eventually(lambda: fresh(batch).has_ended)
        eventually(lambda: not Job.objects.unfinished().exists())
        eventually(lambda: runjobs.output.count("was killed by SIGKILL") == len(killed))
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
    assert batch.state == BatchState.SUCCEEDED
    assert batch.counts == {"succeeded": ROWS}
    assert set(Effect.objects.filter(number__gte=0).values_list("number", flat=True)) == set(
        range(ROWS)
    )
    callbacks = Job.objects.filter(batch=None).order_by("pk")
    assert [one.state for one in callbacks] == [State.SUCCEEDED, State.CANCELLED]
    assert Effect.objects.filter(number=-3).count() == 0
