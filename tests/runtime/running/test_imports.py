"""A timeout or a kill that comes while a handler imports: the modules are whole afterwards."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

import pytest

from forge_jobs import job
from forge_jobs.exceptions import JobTimedOut
from forge_jobs.models import Job, State
from forge_jobs.runtime.running import run, striking
from tests.running import PATIENCE, drain, engine, eventually, running

FIRST = """
import time
time.sleep(0.4)
from {name} import second
whole = True
"""
SECOND = """
import time
from {name} import third
time.sleep(0.2)
whole = True
"""
THIRD = """
import {name}.first
whole = True
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Three modules that import each other, in more than half a second."""
    name = "slow_to_import"
    (tmp_path / name).mkdir()
    sources = {"__init__": "", "first": FIRST, "second": SECOND, "third": THIRD}
    for module, source in sources.items():
        (tmp_path / name / f"{module}.py").write_text(source.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("timeout", [0.1, 0.5])
def test_a_timeout_waits_for_the_import_and_then_strikes(package: str, timeout: float) -> None:
    @job(kind="tests.imports", max_attempts=1)
    def imports() -> bool:
        whole: bool = import_module(f"{package}.first").whole
        while Job.objects.filter(pk=struck.pk, state="running").exists():
            time.sleep(0.001)
        return whole

    struck = imports.using(timeout=timeout, priority=1).enqueue()
    after = imports.enqueue()
    drained = drain(threads=1)

    struck.refresh_from_db()
    after.refresh_from_db()
    assert struck.last_error.startswith(f"Timed out after {timeout} s")
    assert "first" not in struck.errors[0]["traceback"]
    assert (after.state, after.result) == (State.SUCCEEDED, True)
    assert not drained.failure


@pytest.mark.django_db(transaction=True)
def test_a_process_that_gives_up_a_thread_in_an_import_retires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "GRACE_SECONDS", 0.2)
    end = Event()
    monkeypatch.setattr(sys, "forge_jobs_test_end", end, raising=False)
    (tmp_path / "never_imported.py").write_text("import sys; sys.forge_jobs_test_end.wait(30)\n")
    monkeypatch.syspath_prepend(tmp_path)

    @job(kind="tests.imports", max_attempts=1, timeout=0.1)
    def imports() -> None:
        import_module("never_imported")

    stored = imports.enqueue()
    subject = engine(threads=2)
    with running(subject):
        eventually(lambda: bool(subject.failure))
        end.set()

    stored.refresh_from_db()
    assert subject.failure == "a thread was given up in the middle of an import"
    assert stored.state == State.DEAD
    assert "thread was abandoned" in stored.last_error
    sys.modules.pop("never_imported", None)


@pytest.mark.django_db(transaction=True)
def test_a_process_does_not_wait_for_what_waits_for_a_module_that_is_never_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "GRACE_SECONDS", 0.2)
    end = Event()
    monkeypatch.setattr(sys, "forge_jobs_test_end", end, raising=False)
    (tmp_path / "never_made.py").write_text("import sys; sys.forge_jobs_test_end.wait(60)\n")
    monkeypatch.syspath_prepend(tmp_path)

    @job(kind="tests.imports", max_attempts=1)
    def imports() -> None:
        import_module("never_made")

    given_up = imports.using(timeout=0.1, priority=1).enqueue()
    waiting = imports.enqueue()
    subject = engine(threads=2, shutdown_timeout=0.1)
    thread = Thread(target=subject.run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    has_ended = not thread.is_alive()
    end.set()
    eventually(lambda: not subject.is_stuck)

    given_up.refresh_from_db()
    waiting.refresh_from_db()
    assert has_ended
    assert (given_up.state, waiting.state, waiting.attempt) == (State.DEAD, State.READY, 0)
    sys.modules.pop("never_made", None)


def test_no_strike_falls_into_an_import_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of threads that import again and again, each is struck between two imports."""
    (tmp_path / "imported_again.py").write_text("for _ in range(300): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    struck_in: list[set[str]] = []
    begun = Event()

    def import_again() -> None:
        try:
            begun.set()
            while True:
                sys.modules.pop("imported_again", None)
                import_module("imported_again")
                for _ in range(50):
                    os.stat(tmp_path)  # others may run meanwhile, as they may in an import
        except JobTimedOut as error:
            frames = traceback.extract_tb(error.__traceback__)
            struck_in.append({frame.filename for frame in frames})

    for _ in range(30):
        begun.clear()
        thread = Thread(target=import_again)
        thread.start()
        assert begun.wait(PATIENCE)
        eventually(lambda thread=thread: striking.strike(thread.ident or 0, JobTimedOut))  # type: ignore[misc] # a lambda's default
        thread.join(PATIENCE)

    assert len(struck_in) == 30
    assert not [files for files in struck_in if striking.IMPORT_SYSTEM in files]
