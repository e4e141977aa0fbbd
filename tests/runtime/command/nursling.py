"""What the fresh interpreters of a test load: handlers that tell of them, and troubles of a start.

Imported where `FORGE_JOBS_TEST_IMPORTS` says so; the supervisor itself has none of the troubles.
"""

import os
import sys
import time
from pathlib import Path
from typing import Final

from forge_jobs import job
from forge_jobs.runtime.command import cuda
from forge_jobs.runtime.command.births import ORDERS
from tests.running import PATIENCE

LOADED_BY: Final = os.getpid()
HELD_BACK_BY: Final = Path(os.environ.get("TEST_HELD_BACK_BY", "/nowhere"))

if os.environ.get("TEST_USES_CUDA"):
    cuda.driver_in_use = lambda: "libcuda.so.1 is loaded, /dev/nvidia0 is open"

if ORDERS in os.environ:
    if os.environ.get("TEST_CAN_NOT_LOAD"):
        sys.exit("it can't be loaded")
    deadline = time.monotonic() + PATIENCE
    while HELD_BACK_BY.exists() and time.monotonic() < deadline:
        HELD_BACK_BY.with_suffix(".met").touch()
        time.sleep(0.01)


@job(kind="tests.tell_of_interpreter", max_attempts=1)
def tell_of_interpreter() -> dict[str, object]:
    return {
        "is_its_own": os.getpid() == LOADED_BY,
        "options": [sys.flags.dev_mode, sys.warnoptions, sys._xoptions],
        "has_orders": ORDERS in os.environ,
    }
