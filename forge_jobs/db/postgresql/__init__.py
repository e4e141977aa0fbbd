"""The statements that the ORM can't say, for PostgreSQL; twins of those in `sqlite`."""

from forge_jobs.db.postgresql.budgets import drain_tokens, return_tokens, take_tokens, token_level
from forge_jobs.db.postgresql.inserts import find, insert
from forge_jobs.db.postgresql.jobs import (
    as_text,
    claim,
    forget,
    interrupt,
    is_locked,
    next_due,
    settle,
    stage,
)
from forge_jobs.db.postgresql.keys import promote, settle_and_promote, stalled_keys
from forge_jobs.db.postgresql.locks import held_locks, is_write_locked
from forge_jobs.db.postgresql.metrics import (
    count_enqueued,
    database_facts,
    database_gauges,
    insert_events,
    measured,
    process_gauges,
    write_progress,
)
from forge_jobs.db.postgresql.sessions import (
    READ_ONLY,
    furnish,
    ignore_notifications,
    is_alive,
    is_cut_off,
    parameters,
    refuses_writes,
    traits,
    wipe,
)

__all__ = [
    "READ_ONLY",
    "as_text",
    "claim",
    "count_enqueued",
    "database_facts",
    "database_gauges",
    "drain_tokens",
    "find",
    "forget",
    "furnish",
    "held_locks",
    "ignore_notifications",
    "insert",
    "insert_events",
    "interrupt",
    "is_alive",
    "is_cut_off",
    "is_locked",
    "is_write_locked",
    "measured",
    "next_due",
    "parameters",
    "process_gauges",
    "promote",
    "refuses_writes",
    "return_tokens",
    "settle",
    "settle_and_promote",
    "stage",
    "stalled_keys",
    "take_tokens",
    "token_level",
    "traits",
    "wipe",
    "write_progress",
]
