"""The example for GPUs: on the CPU with a model of its own, on a GPU or with PyTorch if there."""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from forge_jobs import Done
from forge_jobs.handlers.chunks import Chunk, ChunkHandler, Item
from forge_jobs.models import Job, Queue, State
from tests.children.conftest import claimed
from tests.children.gpu_settings import QUEUES
from tests.running import ROOT, Runjobs

EXAMPLE = ROOT / "examples/gpu"
TEXTS = [f"order {number} is paid" for number in range(100)]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def embed(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[ChunkHandler[Any]]:
    """The handler, for as long as the test."""
    monkeypatch.syspath_prepend(EXAMPLE)
    queues = {**settings.FORGE_JOBS["QUEUES"], **QUEUES}
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "QUEUES": queues}
    yield import_module("embedding.jobs").embed
    for name in [name for name in sys.modules if name.startswith("embedding")]:
        del sys.modules[name]


def vectors(embed: ChunkHandler[Any], texts: list[str]) -> list[list[float]]:
    """What one call makes of them."""
    payloads = [{"text": text} for text in texts]
    items = [Item(payload, claimed(embed, payload).context) for payload in payloads]
    assert embed(Chunk(items)) is None
    return [item.answer_given.result for item in items if isinstance(item.answer_given, Done)]


def test_each_text_becomes_a_vector_and_none_depends_on_its_neighbours(
    embed: ChunkHandler[Any],
) -> None:
    whole, (alone,) = vectors(embed, TEXTS[:64]), vectors(embed, TEXTS[50:51])

    assert [len(vector) for vector in whole] == [32] * 64
    assert whole[50] == pytest.approx(alone, abs=1e-4)
    assert whole[50] != pytest.approx(whole[51], abs=1e-4)


@pytest.mark.processes
def test_it_runs_in_a_child_and_the_other_device_has_its_own_queue(
    embed: ChunkHandler[Any],
) -> None:
    embed.enqueue_many({"text": text} for text in TEXTS)
    other = embed.using(queue="gpu1").enqueue(text=TEXTS[0])
    code, output = drained()
    other.refresh_from_db()
    jobs = Job.objects.filter(queue="gpu0")

    assert code == 0, output
    assert other.state == State.READY
    assert {job.state for job in jobs} == {State.SUCCEEDED}
    assert [len(job.result or ()) for job in jobs] == [32] * 100
    (place,) = {job.process_name for job in jobs}
    assert ", child " in str(place)


@pytest.mark.processes
@pytest.mark.skipif(find_spec("torch") is not None, reason="the small model is not used")
@pytest.mark.parametrize(
    ("room", "state", "attempt"), [("10", State.SUCCEEDED, 1), ("0", State.SCHEDULED, 0)]
)
def test_a_device_takes_what_it_has_room_for_and_costs_the_others_no_attempt(
    embed: ChunkHandler[Any], room: str, state: State, attempt: int
) -> None:
    embed.enqueue_many({"text": text} for text in TEXTS[:30])
    code, output = drained(EMBEDDING_ROOM=room)

    assert code == 0, output
    assert {(job.state, job.attempt) for job in Job.objects.all()} == {(state, attempt)}
    is_throttled = Queue.objects.filter(name="gpu0", throttled_until__isnull=False).exists()
    assert is_throttled == (room == "0")


def drained(**environment: str) -> tuple[int, str]:
    """What the queue of the first device holds is run."""
    project = {"DJANGO_SETTINGS_MODULE": "tests.children.gpu_settings", "PYTHONPATH": str(EXAMPLE)}
    with Runjobs("--drain", "--queues", "gpu0", **{**project, **environment}) as running:
        return running.wait()
