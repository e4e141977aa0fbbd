"""Pools for the processes that tests start: imported where `FORGE_JOBS_TEST_IMPORTS` says so."""

import sys
from pathlib import Path
from typing import Final

from forge_jobs import register
from forge_jobs.handlers import SubprocessPool

TORTURED: Final = Path(__file__).with_name("tortured.py")

tortured = register(
    SubprocessPool(
        "tests.tortured",
        [sys.executable, "-S", TORTURED, "--ready"],
        ready=True,
        size=4,
        max_attempts=1,
    )
)
