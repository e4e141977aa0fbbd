"""The threads of a process start one after the other, and wait for nothing that helps nobody."""

from types import SimpleNamespace
from typing import Any

import pytest

from forge_jobs.runtime import sessions
from forge_jobs.runtime.ending import Threads

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("can_be_lent", "steps"),
    [
        (True, ["watch", "a look", "finalizer", "fetcher", "listener", "pulse"]),
        (False, ["watch", "finalizer", "fetcher", "listener", "pulse"]),
    ],
)
def test_the_others_wait_for_the_first_look_only_where_its_session_can_be_lent(
    can_be_lent: bool, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    class Loops(list[Any]):
        watch = thread("watch", seen)

    loops: Any = Loops([Loops.watch, thread("pulse", seen)])
    monkeypatch.setattr(sessions, "can_be_lent", lambda: can_be_lent)
    finalizer, fetcher, listener = [thread(n, seen) for n in ("finalizer", "fetcher", "listener")]
    Threads(finalizer, fetcher, listener, loops).start()

    assert seen == steps


def thread(name: str, seen: list[str]) -> Any:
    look = SimpleNamespace(wait=lambda seconds: seen.append("a look"))
    return SimpleNamespace(start=lambda: seen.append(name), has_looked=look)
