"""Whether anybody in the process would do something at once about new work."""

from collections.abc import Iterator

import pytest

from forge_jobs.wake import local
from forge_jobs.wake.local import STOP, Bell


@pytest.fixture
def fetchers_bell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bell]:
    monkeypatch.setattr(local, "_bells", [])
    bell, of_services = Bell(), Bell(only=STOP)
    for each in bell, of_services:
        local.subscribe(each)
    yield bell
    for each in bell, of_services:
        local.unsubscribe(each)


def test_news_are_urgent_for_a_process_whose_workers_have_nothing_ahead(
    fetchers_bell: Bell,
) -> None:
    assert not local.can_wait()
    fetchers_bell.can_wait = True
    assert local.can_wait()
