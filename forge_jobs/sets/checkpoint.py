"""One JSON value that a job's runs hand on to each other."""

from __future__ import annotations

import json
from typing import Any, Final

from asgiref.sync import sync_to_async

from forge_jobs.sets.refusals import refuse_atomic
from forge_jobs.sets.steps import Steps
from forge_jobs.states import Role

NAME: Final = ""
"""Which no step can have."""


class Checkpoint:
    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def read(self, default: Any = None) -> Any:
        """What was saved last, by this run or one before; `default` if nothing was."""
        row = self._steps.stored(NAME)
        return default if row is None else json.loads(row.value)

    def save(self, value: Any) -> None:
        """Let a JSON value take the place of what was saved before.

        In a transaction it is committed with it, and until then the job's row is locked: let it be
        the last that is done there. Raises `InvalidStep` for what is not JSON or too large.
        """
        refuse_atomic(self._steps.job.kind, "the checkpoint")
        self._steps.save(NAME, Role.CHECKPOINT, value)

    async def aread(self, default: Any = None) -> Any:
        return await sync_to_async(self.read)(default)

    async def asave(self, value: Any) -> None:
        await sync_to_async(self.save)(value)
