"""The suite's project with handlers that keep a ledger, and a queue that is limited."""

from tests.settings import *  # noqa: F403 - the same but for this
from tests.settings import FORGE_JOBS, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.at_size"]
FORGE_JOBS = {
    **FORGE_JOBS,
    "QUEUES": {**FORGE_JOBS["QUEUES"], "limited": {"max_workers": 3}, "far": {}},
}
