"""The plain rows that travel between Python and the twin statements."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from forge_jobs.states import State


class Extras(NamedTuple):
    """What few jobs have."""

    expires_at: datetime | None = None
    labels: tuple[str, ...] = ()
    on_duplicate: str = "keep"


class NewRow(NamedTuple):
    """A job to insert; `payload` and `context` are JSON texts, a `run_at` of None means now.

    What most jobs have nothing of comes as one None: reading each of it by itself is what costs.
    """

    queue: str
    kind: str
    payload: str
    priority: int
    state: str
    run_at: datetime | None
    max_attempts: int | None
    timeout_seconds: float | None
    dedupe_key: str | None
    idempotency_key: str | None
    context: str
    concurrency_key: str | None = None
    concurrency_limit: int | None = None
    batch_id: int | None = None
    gate_id: int | None = None
    extras: Extras | None = None

    @property
    def expires_at(self) -> datetime | None:
        return self.extras.expires_at if self.extras else None

    @property
    def keys(self) -> tuple[str | None, str | None]:
        return self.dedupe_key, self.idempotency_key


class InsertedRow(NamedTuple):
    """What the database made of a `NewRow`; the moment is given for a lone row only."""

    id: int
    dedupe_key: str | None
    idempotency_key: str | None
    enqueued_at: datetime | None = None

    @property
    def keys(self) -> tuple[str | None, str | None]:
        return self.dedupe_key, self.idempotency_key


class KeyHolder(NamedTuple):
    """A job that holds one of the keys."""

    id: int
    dedupe_key: str | None
    idempotency_key: str | None


class PredecessorRow(NamedTuple):
    """A job or a batch that must have ended, in the way that is needed, before a gate opens."""

    gate_id: int
    place: int
    job_id: int | None
    batch_id: int | None
    needs: str


class Move(NamedTuple):
    """A schedule as it was seen, and when it is due next; `planned_by` is a JSON text."""

    id: int
    next_fire_at: datetime | None
    is_over: bool
    expression: str
    timezone: str
    is_enabled: bool
    starts_at: datetime | None
    ends_at: datetime | None
    following: datetime | None
    planned_at: datetime
    planned_by: str


class ClaimedJob(NamedTuple):
    """A job that this process may run; `payload` and `context` are JSON texts.

    `run_at` is as the database tells it, with SQLite a text, and only as good as what is stored.
    `enqueued_at` and `expires_at` are in seconds since 1970. `claimed_at`, its `started_at` as a
    text, tells this claim from later ones by the same process.
    """

    id: int
    queue: str
    kind: str
    payload: str
    context: str
    priority: int
    run_at: Any
    attempt: int
    max_attempts: int | None
    timeout_seconds: float | None
    concurrency_key: str | None = None
    enqueued_at: float = 0.0
    expires_at: float | None = None
    claimed_at: str = ""

    @property
    def started_at(self) -> datetime:
        return datetime.fromisoformat(self.claimed_at).replace(tzinfo=UTC)

    @property
    def is_on_record(self) -> bool:
        """Whether the database is told before this attempt begins.

        Claimed jobs wait in a process's memory. When that process is lost, nobody knows which of
        them had begun; a first attempt is then taken to be spent. But no job may die, or lose
        more than that, because of its neighbours. And one that expires does so no more once it
        has begun.
        """
        return self.attempt > 1 or self.attempt == self.max_attempts or self.expires_at is not None


class Promoted(NamedTuple):
    """A job that waited for its concurrency key, and is ready now, unless it was `claimed`."""

    queue: str
    kind: str
    key: str
    limit: int
    claimed: ClaimedJob | None = None


class Position(NamedTuple):
    """A place in a queue's order: where a claim stopped, and the next may go on."""

    priority: int
    run_at: Any
    id: int


class Transition(NamedTuple):
    """One job's way out of `running`, valid only while the claim `(id, process, claimed_at)` holds.

    A `run_at`, `progress` or `process_name` of None keeps the column. `result`, `error` and
    `progress` are JSON texts; an `error` is appended to the job's list. What `is_forgotten` is
    deleted instead.
    """

    id: int
    claimed_at: str
    state: State
    attempt: int
    run_at: datetime | None = None
    finished_at: datetime | None = None
    result: str | None = None
    error: str | None = None
    last_error: str = ""
    is_forgotten: bool = False
    progress: str | None = None
    process_name: str | None = None

    def as_row(self) -> tuple[Any, ...]:
        """As the statements that settle take it.

        What most runs have nothing of comes as one None: reading each of them by itself is what
        costs.
        """
        rest = (
            self.run_at,
            self.result,
            self.error,
            self.last_error,
            self.progress,
            self.process_name,
        )
        return (
            self.id,
            self.claimed_at,
            self.state,
            self.attempt,
            self.finished_at,
            rest if any(rest) else None,
        )

    @property
    def is_bare_success(self) -> bool:
        """Whether it says nothing but when it ended, and with which result."""
        return (
            self.state is State.SUCCEEDED
            and self.finished_at is not None
            and not (self.run_at or self.error or self.last_error)
            and not (self.progress or self.process_name)
        )

    def as_success(self) -> tuple[Any, ...]:
        """All that a bare success needs of it; its attempt is the claim's."""
        return self.id, self.claimed_at, self.finished_at, self.result


class Committed(NamedTuple):
    """The states of those whose claim still held, and whether the session was left as well."""

    states: dict[int, str]
    is_left: bool


class BudgetLevel(NamedTuple):
    """What is in a token bucket; while it is drained, for `paused_seconds`, none is granted."""

    capacity: float
    refill_per_second: float
    tokens: float
    paused_seconds: float

    def seconds_until(self, cost: float) -> float:
        """After how long so many tokens will be there."""
        return self.paused_seconds + max(0.0, cost - self.tokens) / self.refill_per_second


class StepRow(NamedTuple):
    """What a run stores for those after it; `value` is a JSON text, a checkpoint has no name."""

    name: str
    role: str
    value: str


class ProgressRow(NamedTuple):
    """How far a run has come, as a JSON text; valid only while its claim holds."""

    id: int
    claimed_at: str
    progress: str
