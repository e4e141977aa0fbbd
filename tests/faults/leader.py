"""Leaders that have one pass over schedules each, and die before one of its statements.

What they have to import is imported once: they are forked, before anything is open.
"""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django

DEATH = 13


def main() -> None:
    """Of each line, a moment and the number of a statement, say how that leader ended."""
    django.setup()
    from forge_jobs.services import scheduler  # noqa: F401 - before the fork

    for line in sys.stdin:
        moment, deadly = line.split()
        if not (pid := os.fork()):
            lead(datetime.fromisoformat(moment), int(deadly))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def lead(now: datetime, deadly: int) -> None:
    from django.db import connection

    from forge_jobs import clock
    from forge_jobs.clock import ManualClock
    from forge_jobs.services.scheduler import Scheduler

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
    main()
