"""The suite's settings with a queue for each device, as the page of GPUs declares them."""

from tests import settings as plain
from tests.settings import *  # noqa: F403 - the same but for this

QUEUES: dict[str, dict[str, object]] = {"gpu0": {}, "gpu1": {}}
FORGE_JOBS = {
    **plain.FORGE_JOBS,
    "QUEUES": {**plain.FORGE_JOBS["QUEUES"], **QUEUES},
    "IMPORTS": ["embedding.jobs"],
}
