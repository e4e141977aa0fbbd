"""What all tests share: the manual clock, throw-away handlers, and the registry's isolation."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from forge_jobs import clock
from forge_jobs.clock import ManualClock
from forge_jobs.handlers.registry import registry
from forge_jobs.runtime.keeper import custody, this_thread

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WAYS_TO_A_DATABASE = {"db", "transactional_db", "django_db_setup", "live_server"}

# How long an example takes, or takes to be made, tells of the machine.
hypothesis.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--on-demand", action="store_true", help="run what takes an hour, and only it")
    parser.addoption("--our-sessions", action="store_true", help="let all be as those of runjobs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    is_wanted = bool(config.getoption("--on-demand"))
    left_out = [item for item in items if ("on_demand" in item.keywords) is not is_wanted]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    if connections[DEFAULT_DB_ALIAS].vendor != "sqlite":
        for item in filter(is_the_same_on_every_database, items):
            item.add_marker(pytest.mark.skip("the same on every database"))
    if hasattr(config, "workerinput"):  # one of several, each of which takes whole files in turn
        long = {item.path for item in items if "processes" in item.keywords}
        items.sort(key=lambda item: item.path not in long)


def is_the_same_on_every_database(item: pytest.Item) -> bool:
    """Whether it says so, or may speak to none; nor start others that do, nor ask where it is."""
    if item.keywords.keys() & {"once", "browser"}:
        return True
    if item.keywords.keys() & {"django_db", "processes", "skipif"}:
        return False
    return not WAYS_TO_A_DATABASE & {*getattr(item, "fixturenames", WAYS_TO_A_DATABASE)}


def pytest_xdist_auto_num_workers() -> int:
    """The suite waits as much as it works."""
    return 2 * (os.cpu_count() or 1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")


@pytest.fixture
def manual_clock() -> Iterator[ManualClock]:
    """The clock stands at NOON until the test advances it."""
    manual = ManualClock(NOON)
    with clock.installed(manual):
        yield manual


@pytest.fixture(autouse=True)
def _isolated_registry() -> Iterator[None]:
    """Handlers that a test declares are gone after it."""
    with registry.isolated():
        yield


@pytest.fixture(scope="session", autouse=True)
def _our_sessions(request: pytest.FixtureRequest) -> None:
    """If asked to, open sessions of the tests' process as `runjobs` does in its own.

    For those, PostgreSQL keeps statements; the project's own are asked as ever.
    """
    if request.config.getoption("--our-sessions"):
        custody.is_ours = True


@pytest.fixture(autouse=True)
def _the_tests_thread_lends_no_sessions() -> Iterator[None]:
    """Though a test may have called there what a thread of ours begins with."""
    yield
    if hasattr(this_thread, "lends"):
        del this_thread.lends
