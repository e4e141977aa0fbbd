"""The suite's settings with a queue for each device, as the page of GPUs declares them."""

from tests import settings as plain
from tests.settings import *  # noqa: F403 - the same but for this

QUEUES = {"gpu0": {"max_workers": 1}, "gpu1": {"max_workers": 1}}
FORGE_JOBS = {
    **plain.FORGE_JOBS,
    "QUEUES": {**plain.FORGE_JOBS["QUEUES"], **QUEUES},
    "IMPORTS": ["embedding.jobs"],
}
