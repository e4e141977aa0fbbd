"""What happens in a process, for whoever wants to know; sent with `send_robust`.

`job` is a `ClaimedJob`; `finished` has the `job`, the `transition` that was stored, the `outcome`
that led to it, and for how many `seconds` the handler ran. Values that are to be hidden
(`FORGE_JOBS["REDACT"]`, `redact` of the handler) are masked in them.
"""

import logging
from contextlib import suppress
from typing import Any

from django import dispatch


class Signal(dispatch.Signal):
    """Nothing that a receiver raises reaches the sender, not even `SystemExit`."""

    def has_listeners(self, sender: Any = None) -> bool:
        """As Django's, which costs more than all the rest of a job's start if there are none."""
        return bool(self.receivers) and super().has_listeners(sender)

    def send_robust(self, sender: Any, **named: Any) -> list[tuple[Any, Any]]:
        try:
            return super().send_robust(sender, **named)
        except BaseException as error:
            # Django keeps back exceptions, tells of them, and meets what telling of one raises.
            with suppress(BaseException):  # of a log that raises nobody can be told
                logging.getLogger("forge_jobs").error(
                    "a receiver of a signal ended by %s; others were not called",
                    type(error).__name__,
                )
            return []


job_started = Signal()
"""A worker starts to run a job: `job`."""

job_raised = Signal()
"""An exception ended a run, in the thread of its worker: `job`, `error` (the exception itself).

What it holds is not masked. It is not kept for the commit; a receiver should not keep it either.
"""

job_finished = Signal()
"""The outcome of a run, whatever it is, is stored: `finished`."""

job_failed = Signal()
"""Beside `job_finished`, if the run ended with an error: `finished`."""

claim_lost = Signal()
"""A run ended after its claim had gone to somebody else; its outcome was refused: `job`."""

outcome_ignored = Signal()
"""A handler came to another end after it had completed its job, which holds: `job`, `ignored`
(the name of the outcome)."""

process_started = Signal()
"""A process is about to claim its first job: `process`, `hears_by`, `poll_interval`.

`hears_by` is the method by which it learns of new work."""

process_stopping = Signal()
"""A process stops claiming: `reason`."""

jobs_awaited = Signal()
"""A process that stops waits for what it runs: `awaited` (each a `job` and for how many `seconds`
it has run), `seconds` (how long it may wait, 0 once it has told them to stop), `reason`."""

process_lost = Signal()
"""A process was given up, and its jobs were given back: `process`, `given_back`."""

job_reclaimed = Signal()
"""A job was taken back from a process that was lost: `job_id`, `kind`, and the `state` it is in."""

process_revived = Signal()
"""This process had been given up as lost, and has signed on again: `process`."""

process_troubled = Signal()
"""Something keeps this process from its work, or no longer does (empty): `trouble`."""

clock_jumped = Signal()
"""The database's clock has jumped, or no longer has: `reading`, which says what is made of it."""

worker_abandoned = Signal()
"""A handler did not react to its timeout, its thread was replaced: `job`, `stuck` (how many)."""

loop_blocked = Signal()
"""A coroutine keeps all others of its process waiting: `job`, `seconds` so far, `stack`.

`job` is None if it is a callback that runs in none."""

leadership_changed = Signal()
"""This process runs the services from now on, or no longer: `leads`."""

queue_misconfigured = Signal()
"""Nothing can be claimed from a queue as it is set up: `queue`, `error`."""

work_unserved = Signal()
"""Jobs are ready that no live process takes: `unserved` (queues and kinds)."""

locks_held = Signal()
"""Sessions have held locks for so long that jobs do not move: `locks`."""

schedule_fired = Signal()
"""A job was made for a due moment: `schedule`, `due_at`."""

schedule_skipped = Signal()
"""None was, for the last job is unfinished: `schedule`, `due_at`."""

schedules_replanned = Signal()
"""What was planned did not hold any more: `replanned`, each with `schedule`, `before` and `after`
(moments), and `was_ahead` (the clock was; else what it was planned from has changed)."""

schedule_failed = Signal()
"""None could be, or the schedule can't be read and is disabled: `schedule`, `due_at`, `error`.

`due_at` is None if the schedule can't be read."""

service_failed = Signal()
"""A service has a fault; it will be run again: `service` (its name), `error`."""

events_dropped = Signal()
"""More went wrong at once than is kept as events of jobs: `number` of those left out."""

child_started = Signal()
"""A supervisor started a process: `child`, which begins after `delay` seconds."""

forks_forgone = Signal()
"""A supervisor will start fresh interpreters, for forks of it would not work: `reason`."""

child_unborn = Signal()
"""A supervisor could not start a process, and will try again: its `name`, `error`."""

child_ended = Signal()
"""A supervised process ended: `child`, `code` (negative: the signal that killed it), `is_well`.

It is not well that it ended if it did not sign off, whatever its code says."""

pool_child_told = Signal()
"""A child of a pool wrote to its stderr while it started: `name` (the pool's), `pid`, `line`."""

pool_child_ended = Signal()
"""A child of a pool is gone: `name` (the pool's), `child` (with its `pid` and `jobs_done`), `why`
in words, `reason` (a `ChildEnd`).

`why` and `reason` are empty where it ended with its process."""

thread_failed = Signal()
"""A thread ended by an error that nobody foresaw, and its process stops: `thread`, `error`."""

process_stopped = Signal()
"""A process has signed off: `process`, `failure` (empty if all is well)."""

wake_unheard = Signal()
"""Other sessions' notifications do not arrive; jobs are found by polling."""

database_trouble = Signal()
"""The database refused a statement that will be tried again: `error`, `doing`, `retry_in`."""

database_recovered = Signal()
"""The database answers again: `doing`, `after` (a timedelta)."""
