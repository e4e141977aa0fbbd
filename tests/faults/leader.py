"""A leader that has one pass over schedules, and dies before one of its statements."""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django

DEATH = 13


def main(moment: str, deadly: int) -> None:
    django.setup()
    from django.db import connection

    from forge_jobs import clock
    from forge_jobs.clock import ManualClock
    from forge_jobs.services.scheduler import Scheduler

    now = datetime.fromisoformat(moment)
    statements = 0

    def die_in_time(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal statements
        statements += 1
        if statements == deadly:
            os._exit(DEATH)
        return execute(*args)

    with clock.installed(ManualClock(now)), connection.execute_wrapper(die_in_time):
        Scheduler().run_once(now=now)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
