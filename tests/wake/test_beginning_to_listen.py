"""A process that finds work whenever it looks has no use for a listener yet."""

from threading import Event

import pytest

from forge_jobs.wake import base, local
from forge_jobs.wake.base import Listener
from tests.running import PATIENCE
from tests.wake.hearing import listening

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]


class Beginning(Listener):
    method = "none"

    def __init__(self, needed: Event) -> None:
        super().__init__(needed)
        self.has_begun = Event()

    def listen(self) -> None:
        self.has_begun.set()
        self.stopping.wait(PATIENCE)


@pytest.fixture(autouse=True)
def _long_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "BUSY_SECONDS", PATIENCE)


def test_it_begins_when_its_process_needs_it() -> None:
    needed = Event()
    listener = Beginning(needed)
    with listening(listener):
        assert not listener.has_begun.is_set()
        needed.set()
        assert listener.has_begun.wait(PATIENCE)


def test_it_begins_after_a_while_though_its_process_finds_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base, "BUSY_SECONDS", 0.0)
    listener = Beginning(Event())
    with listening(listener):
        assert listener.has_begun.wait(PATIENCE)


def test_a_process_that_retires_before_that_has_never_listened() -> None:
    listener = Beginning(Event())
    with listening(listener) as rung:
        pass

    assert not listener.has_begun.is_set()
    assert not rung[local.ANY]
