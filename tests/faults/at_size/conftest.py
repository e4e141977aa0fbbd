"""A trial for each scenario, with a ledger of its own; nothing of it is left behind."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.at_size.ledger import PATH, Ledger
from tests.faults.at_size.trial import PROCESS_TIMEOUT, Trial
from tests.faults.elsewhere import Elsewhere, InAFile

# Whoever ends the suite ends its servers, too.
signal.signal(signal.SIGTERM, signal.default_int_handler)

Prepare = Callable[[str], Trial]

outages = pytest.mark.parametrize(
    "seconds",
    [PROCESS_TIMEOUT * 2 / 3, PROCESS_TIMEOUT * 2],
    ids=["for less than the timeout", "for longer than the timeout"],
)


@pytest.fixture
def prepare(request: pytest.FixtureRequest, tmp_path: Path) -> Prepare:
    """Jobs and a ledger in the PostgreSQL at a URL, or in an SQLite file if that is empty."""

    def prepared(url: str) -> Trial:
        ledger = Ledger(tmp_path / "ledger")
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.at_size.settings",
            PATH: str(ledger.path),
        }
        if url:
            project = Elsewhere(url, **environment)
        else:
            project = InAFile(tmp_path / "jobs.sqlite3", **environment)
        return Trial(request.node.name, project, ledger)

    return prepared


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert psutil.Process().children(recursive=True) == []
