"""Where nothing can be kept for a later run, and what to do instead."""

from typing import Any

from forge_jobs import db
from forge_jobs.exceptions import InvalidStep
from forge_jobs.handlers.registry import registry


def refuse_atomic(kind: str, what: str) -> None:
    """Raise `InvalidStep` in a handler all of whose writes commit at its end."""
    handler = registry.find(kind)
    if handler and handler.atomic:
        raise InvalidStep(
            f"{what} can't be in {kind}, which is atomic: all that it writes is committed at its "
            f"end, together with its outcome. Leave out atomic=True.",
            field="atomic",
        )


def refuse_unsuited(kind: str, what: str) -> None:
    """The same, and in a resident one, whose steps would be done once and for all."""
    refuse_atomic(kind, what)
    handler = registry.find(kind)
    if handler and handler.resident:
        raise InvalidStep(
            f"{what} can't be in {kind}, which is resident: done once, it would never be done "
            f"again. Use ctx.checkpoint, or let it enqueue a job.",
            field="resident",
        )


def refuse_transaction(what: str, *, instead: str = "") -> None:
    """Raise `InvalidStep` inside of a transaction, which would take along what is stored."""
    if is_in_transaction():
        raise InvalidStep(
            f"{what} is inside of a transaction, and would be lost with it: let it be outside of "
            f"atomic(){instead}.",
            field="name",
        )


def is_in_transaction() -> bool:
    """Whether this thread has begun one on the job database, other than the one around a test."""
    connection: Any = db.connection()
    if not connection.in_atomic_block:
        return False
    blocks = connection.atomic_blocks
    return not (blocks and getattr(blocks[-1], "_from_testcase", False))
