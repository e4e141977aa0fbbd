"""An SQLite file that somebody else writes to for longer than anybody waits."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.faults.at_size.conftest import Prepare, outages
from tests.faults.at_size.trial import PROCESSES

pytestmark = pytest.mark.timeout(900)


@outages
def test_a_file_may_be_locked_for_long(seconds: float, prepare: Prepare) -> None:
    trial = prepare("")
    file = trial.project.environment["FORGE_JOBS_TEST_DATABASE_NAME"]
    trial.enqueue()
    with trial.project.runjobs(*PROCESSES) as runjobs:
        trial.until_busy()
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            other.execute("ROLLBACK")
        trial.enqueue()
        trial.resumes()
        trial.enqueue()
        trial.ends(runjobs)
