"""The example for GPUs: on the CPU with a model of its own, on a GPU or with PyTorch if there."""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from forge_jobs import Done, JobHandler
from forge_jobs.models import Queue, State
from forge_jobs.testing import run
from tests.children.gpu_settings import QUEUES
from tests.running import ROOT, Runjobs

EXAMPLE = ROOT / "examples/gpu"
TEXTS = [f"order {number} is paid" for number in range(100)]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def embed(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[JobHandler]:
    """The handler, for as long as the test."""
    monkeypatch.syspath_prepend(EXAMPLE)
    queues = {**settings.FORGE_JOBS["QUEUES"], **QUEUES}
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "QUEUES": queues}
    yield import_module("embedding.jobs").embed
    for name in [name for name in sys.modules if name.startswith("embedding")]:
        del sys.modules[name]


def vectors(embed: JobHandler, texts: list[str]) -> list[list[float]]:
    outcome = run(embed, {"texts": texts})
    assert isinstance(outcome, Done), outcome
    return outcome.result  # type: ignore[no-any-return] # it is such


def test_each_text_becomes_a_vector_and_none_depends_on_its_neighbours(embed: JobHandler) -> None:
    whole, (alone,) = vectors(embed, TEXTS), vectors(embed, TEXTS[70:71])

    assert [len(vector) for vector in whole] == [32] * 100
    assert whole[70] == pytest.approx(alone, abs=1e-4)
    assert whole[70] != pytest.approx(whole[71], abs=1e-4)


@pytest.mark.processes
def test_it_runs_in_a_child_and_the_other_device_has_its_own_queue(embed: JobHandler) -> None:
    job, other = embed.enqueue(texts=TEXTS), embed.using(queue="gpu1").enqueue(texts=TEXTS)
    code, output = drained()
    job.refresh_from_db()
    other.refresh_from_db()

    assert code == 0, output
    assert [len(vector) for vector in job.result or ()] == [32] * 100
    assert (job.progress or {})["done"] == 100
    assert ", child " in (job.process_name or "")
    assert (job.state, other.state) == (State.SUCCEEDED, State.READY)


@pytest.mark.processes
@pytest.mark.skipif(find_spec("torch") is not None, reason="the small model is not used")
def test_a_device_without_room_lets_its_queue_wait_and_costs_no_attempt(embed: JobHandler) -> None:
    job = embed.enqueue(texts=TEXTS)
    code, output = drained(EMBEDDING_ROOM="10")
    job.refresh_from_db()

    assert code == 0, output
    assert (job.state, job.attempt) == (State.SCHEDULED, 0)
    assert Queue.objects.get(name="gpu0").throttled_until is not None


def drained(**environment: str) -> tuple[int, str]:
    """What the queue of the first device holds is run."""
    project = {"DJANGO_SETTINGS_MODULE": "tests.children.gpu_settings", "PYTHONPATH": str(EXAMPLE)}
    with Runjobs("--drain", "--queues", "gpu0", **{**project, **environment}) as running:
        return running.wait()
