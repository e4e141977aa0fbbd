"""Few jobs on their way in and out: as many are, for the driver keeps what it was asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from forge_jobs.db.rows import ClaimedJob, Position, Promoted, Transition
from forge_jobs.db.wanted import Wanted


def claim_few(
    connection: Any,
    *,
    queue: str,
    kinds: Sequence[str],
    limit: int,
    process: int,
    now: datetime,
    after: Position | None,
) -> list[ClaimedJob] | None:
    return None


def ready_among_few(
    connection: Any, *, queues: Mapping[tuple[str, ...], Sequence[str]], depth: int | None
) -> set[tuple[tuple[str, ...], str]] | None:
    return None


def settle_few(
    connection: Any, *, process: int, transitions: Sequence[Transition]
) -> dict[int, str] | None:
    return None


def settle_and_promote_few(
    connection: Any, *, process: int, transitions: Sequence[Transition], wanted: Wanted
) -> tuple[dict[int, str], list[Promoted]] | None:
    return None
