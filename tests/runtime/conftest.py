"""A process that has signed on, but does not run: its parts are asked one by one."""

import pytest

from forge_jobs import wake
from forge_jobs.runtime.claiming.rings import ENTRUSTED
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.finalizer import Finalizer
from tests.running import engine


@pytest.fixture
def entrusted() -> list[str]:
    """The queues that this process was told to look at for others."""
    return []


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues of which everybody was told."""
    queues: list[str] = []
    monkeypatch.setattr(wake, "send", queues.append)
    return queues


@pytest.fixture
def resting(entrusted: list[str], monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A process that has claimed jobs, but does not run."""
    resting = engine()
    ring = resting.fetcher.bell.ring

    def heard(rung: str) -> None:
        if rung.startswith(ENTRUSTED):
            queue, kind = rung.removeprefix(ENTRUSTED).split(ENTRUSTED)
            entrusted.append(f"{kind} of {queue}")
        ring(rung)

    monkeypatch.setattr(resting.fetcher.bell, "ring", heard)
    return resting


@pytest.fixture
def finalizer(resting: Engine) -> Finalizer:
    return resting.finalizer


@pytest.fixture
def idle(resting: Engine) -> Engine:
    """The same process, which has looked everywhere, and found nothing."""
    for lane in resting.fetcher.lanes:
        lane.may_hold_work = False
    return resting
