"""Whatever graph of jobs and batches is made, it ends as its edges say."""

from random import Random
from typing import Any

import pytest

from forge_jobs import Dead, JobContext, JobHandler, job
from forge_jobs.models import Gate, Job
from forge_jobs.testing import drain
from tests.sets.graphs import Graph, refuse_too_early
from tests.sizes import sized

pytestmark = pytest.mark.django_db


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def node(faults: list[str]) -> JobHandler:
    @job(kind="tests.node", takes_context=True)
    def node(ctx: JobContext, *, number: int, fails: bool) -> Any:
        refuse_too_early(ctx.job_id, faults.append)
        return Dead("as it should") if fails else number

    return node


@pytest.mark.parametrize("seed", range(sized(12, full=200)))
def test_a_random_graph_ends_as_its_edges_say(
    node: JobHandler, faults: list[str], seed: int
) -> None:
    chance = Random(seed)
    graph = Graph.random(chance, size=25)
    graph.enqueue(node, chance)
    drain()

    assert graph.found() == graph.expected()
    assert faults == []
    assert not Gate.objects.filter(is_done=False).exists()


@pytest.mark.parametrize("seed", range(sized(4, full=100)))
def test_whatever_operators_do_in_between_nothing_is_left_over(node: JobHandler, seed: int) -> None:
    chance = Random(seed)
    graph = Graph.random(chance, size=20)
    graph.enqueue(node, chance)
    for _ in range(15):
        drain(max_jobs=chance.randint(0, 4))
        chosen = Job.objects.filter(
            pk__in=chance.sample(list(Job.objects.values_list("pk", flat=True)), 2)
        )
        chance.choice([chosen.cancel, chosen.kill, chosen.requeue, chosen.run_now])()
        for batch in graph.batches.values():
            steer: Any = chance.choice([batch.cancel, batch.requeue, *[lambda: None] * 12])
            steer()
    drain()

    assert not Job.objects.unfinished().exists()
    assert all(batch.has_ended for batch in fresh(graph))
    for given_up in Job.objects.given_up():
        assert given_up.gate
        assert given_up.gate.state == "broken"
    assert not Gate.objects.filter(is_done=False).exists()


def fresh(graph: Graph) -> list[Any]:
    for batch in graph.batches.values():
        batch.refresh_from_db()
    return list(graph.batches.values())
