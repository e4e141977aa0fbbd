"""Every address of the API, what it takes to be let in, and how it is asked for in tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from forge_jobs.admin.job_acts import ACTS
from forge_jobs.api.openapi import described
from tests.api.callers import Caller

KIND: Final = "shop.send_receipt"
NEW: Final = {
    "enqueue": {"kind": KIND},
    "add_schedule": {"name": "new", "kind": KIND, "expression": "@daily"},
    "add_budget": {"name": "new", "capacity": 5, "refill_per_second": 1},
    "steer_jobs": {"dry_run": False, "ids": [1]},
}
NEEDED: Final = {
    "enqueue": {"add_job"},
    "list_jobs": {"view_job"},
    "get_job": {"view_job"},
    "get_timeline": {"view_job"},
    "get_why": {"view_job"},
    "delete_job": {"view_job", "delete_job"},
    "cancel_job": {"view_job", "cancel_job"},
    "kill_job": {"view_job", "kill_job"},
    "requeue_job": {"view_job", "retry_job"},
    "run_job_now": {"view_job", "retry_job"},
    "get_status": {"view_job"},
    "get_health": {"view_job"},
    "get_job_series": {"view_job"},
    "get_gauge_series": {"view_job"},
    "list_queues": {"view_queue"},
    "get_queue": {"view_queue"},
    "pause_queue": {"view_queue", "pause_queue"},
    "resume_queue": {"view_queue", "pause_queue"},
    "cool_off_queue": {"view_queue", "pause_queue"},
    "change_queue": {"change_queue"},
    "delete_queue": {"view_queue", "delete_queue"},
    "list_processes": {"view_process"},
    "quiet_process": {"view_process", "stop_process"},
    "unquiet_process": {"view_process", "stop_process"},
    "stop_process": {"view_process", "stop_process"},
    "list_schedules": {"view_schedule"},
    "get_schedule": {"view_schedule"},
    "add_schedule": {"add_schedule", "add_job"},
    "trigger_schedule": {"view_schedule", "trigger_schedule"},
    "enable_schedule": {"view_schedule", "trigger_schedule"},
    "disable_schedule": {"view_schedule", "trigger_schedule"},
    "change_schedule": {"change_schedule"},
    "delete_schedule": {"view_schedule", "delete_schedule"},
    "list_budgets": {"view_ratelimitbudget"},
    "get_budget": {"view_ratelimitbudget"},
    "add_budget": {"add_ratelimitbudget"},
    "change_budget": {"change_ratelimitbudget"},
    "drain_budget": {"view_ratelimitbudget", "drain_ratelimitbudget"},
    "refill_budget": {"view_ratelimitbudget", "drain_ratelimitbudget"},
    "delete_budget": {"view_ratelimitbudget", "delete_ratelimitbudget"},
    "list_batches": {"view_batch"},
    "get_batch": {"view_batch"},
    "cancel_batch": {"view_batch", "cancel_job"},
    "requeue_batch": {"view_batch", "retry_job"},
    "seal_batch": {"view_batch", "change_batch"},
} | {f"steer_jobs {act.name.replace('_', '-')}": {"view_job", act.permission} for act in ACTS}
OPEN: Final = {"get_ready"}


class Address(NamedTuple):
    operation: str
    method: str
    path: str

    @property
    def needed(self) -> set[str]:
        return NEEDED[self.operation]

    @property
    def table(self) -> str:
        return self.path.split("/")[1]

    def asked_by(self, caller: Caller, **row: Any) -> Any:
        """Of a row that is not there, unless one is given."""
        path = re.sub(r"\{(\w+)\}", lambda found: str(row.get(found[1], "404")), self.path)
        operation = self.operation.split()[0]
        body = None if self.method == "GET" else NEW.get(operation, {})
        return caller.send(self.method, path, body)


def addresses() -> Iterator[Address]:
    for path, methods in described("")["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            if name == "steer_jobs":
                for act in ACTS:
                    word = act.name.replace("_", "-")
                    yield Address(f"{name} {word}", "POST", path.replace("{act}", word))
            else:
                yield Address(name, method.upper(), path)


GUARDED: Final = [address for address in addresses() if address.operation not in OPEN]
