"""Few jobs on their way in and out: those that came by themselves, and that nothing is ahead of.

To read and to plan a statement, and to write it and make a cursor for it here, takes longer than to
execute it for a few. So the server keeps it for sessions of ours, with a plan that is right for any
number of jobs, be it made when there was none: such sessions never read a table through, and there
is no other index by which it could go.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from forge_jobs.db.postgresql import prepared
from forge_jobs.db.postgresql.bystanders import session_of
from forge_jobs.db.postgresql.claims import (
    CLAIM,
    CLAIM_AFTER,
    READY_AMONG,
    as_array,
    asked_among,
)
from forge_jobs.db.postgresql.jobs import SETTLE, SUCCEED, as_text, of_success, rows_of
from forge_jobs.db.postgresql.keys import SETTLE_AND_PROMOTE, as_promoted
from forge_jobs.db.postgresql.moments import moment_from
from forge_jobs.db.postgresql.pipeline import Pipeline, Question, can_pipeline
from forge_jobs.db.rows import ClaimedJob, Position, Promoted, Transition
from forge_jobs.db.wanted import Wanted

FEW: Final = 64
"""Of more, the driver reads the rows faster."""

NUMBERED: Final = {
    "queue": "$1::text",
    "kinds": "$2::text[]",
    "limit": "$3::integer",
    "process": "$4::bigint",
    "now": "$5::timestamptz",
}
KEPT_CLAIM: Final = "forge_jobs_claim"
CLAIM_AS_KEPT: Final = CLAIM % NUMBERED

NUMBERED_AFTER: Final = {
    **NUMBERED,
    "after_priority": "$6::smallint",
    "after_run_at": "$7::timestamptz",
    "after_id": "$8::bigint",
}
KEPT_CLAIM_AFTER: Final = "forge_jobs_claim_after"
CLAIM_AFTER_AS_KEPT: Final = CLAIM_AFTER % NUMBERED_AFTER

NUMBERED_AMONG: Final = {"kinds": "$1", "numbers": "$2", "queues": "$3", "depth": "$4"}
KEPT_READY_AMONG: Final = "forge_jobs_ready_among"
READY_AMONG_AS_KEPT: Final = READY_AMONG % NUMBERED_AMONG

NUMBERED_ROWS: Final = {"rows": "$1::jsonb", "process": "$2::bigint"}
KEPT_SETTLE: Final = "forge_jobs_settle"
SETTLE_AS_KEPT: Final = SETTLE % NUMBERED_ROWS

NUMBERED_WANTED: Final = {
    "queues": "$3::text[]",
    "kinds": "$4::text[]",
    "limit": "$5::integer",
    "now": "$6::timestamptz",
}
KEPT_SETTLE_AND_PROMOTE: Final = "forge_jobs_settle_and_promote"
SETTLE_AND_PROMOTE_AS_KEPT: Final = SETTLE_AND_PROMOTE % (NUMBERED_ROWS | NUMBERED_WANTED)

OF_SUCCESS: Final = ("$1::timestamptz", "$2::jsonb", "$3::bigint", "$4::timestamptz", "$5::bigint")
KEPT_SUCCEED: Final = "forge_jobs_succeed"
SUCCEED_AS_KEPT: Final = SUCCEED % OF_SUCCESS


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
    """As `claim()`; None where it is to be asked as ever."""
    if not _may_be_kept(connection, jobs=limit):
        return None
    shown = {"queue": queue, "kinds": kinds, "limit": limit, "process": process, "now": now}
    values = [queue, as_array(tuple(kinds)), str(limit), str(process), now.isoformat()]
    question = Question(KEPT_CLAIM, CLAIM_AS_KEPT, values, CLAIM, shown)
    if after:
        shown |= {f"after_{name}": value for name, value in after._asdict().items()}
        values += [str(after.priority), after.run_at.isoformat(), str(after.id)]
        question = Question(KEPT_CLAIM_AFTER, CLAIM_AFTER_AS_KEPT, values, CLAIM_AFTER, shown)
    claimed_at = as_text(now)
    return [_job(row, claimed_at) for row in _rows(connection, question)]


def ready_among_few(
    connection: Any, *, queues: Mapping[tuple[str, ...], Sequence[str]], depth: int | None
) -> set[tuple[tuple[str, ...], str]] | None:
    """As `ready_among()`; None where it is to be asked as ever."""
    shown = asked_among(queues, depth=depth)
    if not _may_be_kept(connection, jobs=len(shown["numbers"])):
        return None
    lists = [as_array(tuple(map(str, shown[name]))) for name in ("kinds", "numbers", "queues")]
    values = [*lists, None if depth is None else str(depth)]
    question = Question(KEPT_READY_AMONG, READY_AMONG_AS_KEPT, values, READY_AMONG, shown)
    kinds = list(queues)
    return {(kinds[int(number) - 1], queue) for number, queue in _rows(connection, question)}


def settle_few(
    connection: Any, *, process: int, transitions: Sequence[Transition]
) -> dict[int, str] | None:
    """As `settle()`; None where it is to be asked as ever."""
    if not _may_be_kept(connection, jobs=len(transitions)):
        return None
    if len(transitions) == 1 and transitions[0].is_bare_success:
        question = _success(transitions[0], process=process)
    else:
        rows = rows_of(transitions)
        values, shown = [rows, str(process)], {"rows": rows, "process": process}
        question = Question(KEPT_SETTLE, SETTLE_AS_KEPT, values, SETTLE, shown)
    return {int(pk): state for pk, state in _rows(connection, question)}


def settle_and_promote_few(
    connection: Any, *, process: int, transitions: Sequence[Transition], wanted: Wanted
) -> tuple[dict[int, str], list[Promoted]] | None:
    """As `settle_and_promote()`; None where it is to be asked as ever."""
    if not _may_be_kept(connection, jobs=len(transitions)):
        return None
    rows = rows_of(transitions)
    shown = {"rows": rows, "process": process} | wanted._asdict()
    lists = [as_array(tuple(names)) for names in (wanted.queues, wanted.kinds)]
    values = [rows, str(process), *lists, str(wanted.limit), wanted.now.isoformat()]
    question = Question(
        KEPT_SETTLE_AND_PROMOTE, SETTLE_AND_PROMOTE_AS_KEPT, values, SETTLE_AND_PROMOTE, shown
    )
    claimed_at = as_text(wanted.now)
    states, promoted = {}, []
    for state, limit, *columns in _rows(connection, question):
        if limit:
            promoted.append(as_promoted(_job(columns, claimed_at), state, limit=int(limit)))
        else:
            states[int(columns[0])] = state
    return states, promoted


def _may_be_kept(connection: Any, *, jobs: int) -> bool:
    """Whether the server may be asked for so many by what it keeps."""
    return jobs <= FEW and prepared.may_be(session_of(connection)) and can_pipeline(connection)


def _success(transition: Transition, *, process: int) -> Question:
    shown = of_success(transition, process=process)
    finished_at, result, pk, claimed_at, _ = shown
    values = [as_text(finished_at), result, str(pk), claimed_at, str(process)]
    return Question(KEPT_SUCCEED, SUCCEED_AS_KEPT, values, SUCCEED, shown)


def _rows(connection: Any, question: Question) -> list[list[str]]:
    """What the server answers, as texts: nothing of a job is an empty one but what it has none of.

    Raises what it says if it refuses.
    """
    with Pipeline(connection, question) as pipeline:
        answer = pipeline.insist()
    places = range(answer.nfields)
    return [
        [value.decode() if (value := answer.get_value(row, place)) else "" for place in places]
        for row in range(answer.ntuples)
    ]


def _job(row: Sequence[str], claimed_at: str) -> ClaimedJob:
    (
        pk, queue, kind, payload, context, priority, run_at, attempt, max_attempts, timeout,
        concurrency_key, enqueued_at, expires_at,
    ) = row  # fmt: skip
    return ClaimedJob(
        int(pk),
        queue,
        kind,
        payload,
        context,
        int(priority),
        moment_from(run_at),
        int(attempt),
        int(max_attempts) if max_attempts else None,
        float(timeout) if timeout else None,
        concurrency_key or None,
        float(enqueued_at),
        float(expires_at) if expires_at else None,
        claimed_at,
    )
