"""What the statements of both databases are called, take and return; mypy holds the twins to it.

What each does is said where it is written, in `postgresql` and in `sqlite`.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs.db.observed import (
    DatabaseFacts,
    DatabaseGauges,
    EnqueuedCount,
    EventRow,
    Grid,
    HeldLock,
    ProcessGauges,
)
from forge_jobs.db.rows import (
    BudgetLevel,
    ClaimedJob,
    Committed,
    InsertedRow,
    KeyHolder,
    Move,
    NewRow,
    Position,
    PredecessorRow,
    ProgressRow,
    Promoted,
    StepRow,
    Transition,
)
from forge_jobs.db.signs import Awaited, Beats, Horizon, Signs
from forge_jobs.db.wanted import Wanted


class Inserts(Protocol):
    def insert(self, cursor: Any, rows: Sequence[NewRow]) -> list[InsertedRow]: ...
    def insert_one(self, connection: Any, row: NewRow) -> InsertedRow | None: ...
    def find(self, cursor: Any, rows: Sequence[NewRow]) -> list[KeyHolder]: ...
    def lacks_columns(self, connection: Any, error: Error) -> bool: ...


class Claims(Protocol):
    def claim(
        self,
        cursor: Any,
        *,
        queue: str,
        kinds: Sequence[str],
        limit: int,
        process: int,
        now: datetime,
        after: Position | None,
    ) -> list[ClaimedJob]: ...
    def claim_among(
        self,
        cursor: Any,
        *,
        queues: Sequence[str],
        kinds: Sequence[str],
        limit: int,
        process: int,
        now: datetime,
    ) -> list[ClaimedJob]: ...
    def ready_among(
        self,
        cursor: Any,
        *,
        queues: Mapping[tuple[str, ...], Sequence[str]],
        depth: int | None,
    ) -> set[tuple[tuple[str, ...], str]]: ...


class Few(Protocol):
    def claim_few(
        self,
        connection: Any,
        *,
        queue: str,
        kinds: Sequence[str],
        limit: int,
        process: int,
        now: datetime,
        after: Position | None,
    ) -> list[ClaimedJob] | None: ...
    def ready_among_few(
        self, connection: Any, *, queues: Mapping[tuple[str, ...], Sequence[str]], depth: int | None
    ) -> set[tuple[tuple[str, ...], str]] | None: ...
    def settle_few(
        self, connection: Any, *, process: int, transitions: Sequence[Transition]
    ) -> dict[int, str] | None: ...
    def settle_and_promote_few(
        self, connection: Any, *, process: int, transitions: Sequence[Transition], wanted: Wanted
    ) -> tuple[dict[int, str], list[Promoted]] | None: ...


class Jobs(Protocol):
    def settle(
        self, cursor: Any, *, process: int, transitions: Sequence[Transition]
    ) -> dict[int, str]: ...
    def settle_and_commit(
        self, connection: Any, *, process: int, transition: Transition, back: bytes
    ) -> Committed | None: ...
    def forget(
        self, cursor: Any, *, process: int, transitions: Sequence[Transition]
    ) -> set[int]: ...
    def interrupt(self, connection: Any) -> None: ...
    def as_text(self, moment: datetime) -> str: ...
    def is_locked(self, error: Error) -> bool: ...


class Staging(Protocol):
    def stage(self, cursor: Any, *, now: datetime, limit: int) -> list[tuple[str, str | None]]: ...
    def next_due(self, cursor: Any) -> datetime | None: ...


class Changes(Protocol):
    def commits(self, cursor: Any) -> object: ...
    def may_be_outdated(self, cursor: Any, before: object) -> bool: ...
    def signs(self, cursor: Any, *, process: int, leads: bool) -> Signs: ...
    def ready_queues(self, cursor: Any) -> list[str]: ...
    def horizon(self, cursor: Any) -> Horizon: ...
    def beats(self, cursor: Any) -> Beats: ...


class Gates(Protocol):
    def count_jobs(self, cursor: Any, jobs: Collection[int]) -> int: ...
    def insert_gates(self, cursor: Any, *, number: int) -> list[int]: ...
    def insert_predecessors(self, cursor: Any, rows: Sequence[PredecessorRow]) -> None: ...
    def awaited(self, cursor: Any, *, most: int) -> Awaited: ...
    def batches_of(self, cursor: Any, jobs: Collection[int]) -> set[int]: ...
    def over(self, cursor: Any, batches: Collection[int]) -> set[int]: ...
    def gates_behind(self, cursor: Any, jobs: Collection[int]) -> set[int]: ...
    def keep_open(self, cursor: Any, batches: Collection[int]) -> None: ...
    def hold_batch(self, cursor: Any, *, batch: int) -> str | None: ...


class Fronts(Protocol):
    def oldest_ready(self, cursor: Any) -> dict[str, datetime]: ...
    def kinds_in_front(
        self, cursor: Any, *, queues: Sequence[str], limit: int
    ) -> dict[str, set[str]]: ...
    def finished_queues(self, cursor: Any) -> list[str]: ...


class Keys(Protocol):
    def promote(self, cursor: Any, keys: Sequence[str]) -> list[Promoted]: ...
    def settle_and_promote(
        self, cursor: Any, *, process: int, transitions: Sequence[Transition], wanted: Wanted
    ) -> tuple[dict[int, str], list[Promoted]]: ...
    def stalled_keys(self, cursor: Any) -> list[str]: ...


class Budgets(Protocol):
    def take_tokens(
        self, cursor: Any, *, name: str, at_least: float, at_most: float, now: datetime | None
    ) -> float: ...
    def return_tokens(self, cursor: Any, *, name: str, tokens: float) -> None: ...
    def drain_tokens(
        self, cursor: Any, *, name: str, seconds: float, now: datetime | None
    ) -> None: ...
    def token_levels(
        self, cursor: Any, *, name: str | None, now: datetime | None
    ) -> dict[str, BudgetLevel]: ...


class Metrics(Protocol):
    def count_enqueued(self, cursor: Any, *, after: int, up_to: int) -> list[EnqueuedCount]: ...
    def database_facts(self, cursor: Any) -> DatabaseFacts: ...
    def measured(
        self, cursor: Any, *, grid: Grid, span: int, queue: str, kind: str
    ) -> list[tuple[Any, ...]]: ...
    def process_gauges(self, cursor: Any, *, grid: Grid, span: int) -> list[ProcessGauges]: ...
    def database_gauges(self, cursor: Any, *, grid: Grid) -> list[DatabaseGauges]: ...
    def insert_events(self, cursor: Any, rows: Sequence[EventRow]) -> None: ...
    def lock_totals(self, cursor: Any) -> None: ...
    def write_progress(
        self, cursor: Any, *, process: int, rows: Sequence[ProgressRow]
    ) -> set[int]: ...


class Sessions(Protocol):
    LIMITS: dict[str, str]
    CLAIM_LIMITS: dict[str, str]
    READ_ONLY: str

    def beginning_late(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[object]: ...
    def parameters(self, process_name: str) -> dict[str, object]: ...
    def traits(self, session: Any) -> tuple[object, ...] | None: ...
    def furnish(self, session: Any, settings: Mapping[str, str]) -> Mapping[str, str]: ...
    def way_back(self, session: Any, settings: Mapping[str, str]) -> bytes: ...
    def wipe(self, session: Any, back: bytes) -> bool: ...
    def is_alive(self, session: Any, *, has_rested: bool) -> bool: ...
    def ignore_notifications(self, session: Any) -> None: ...
    def is_cut_off(self, sqlstate: str | None) -> bool: ...
    def refuses_writes(self, cursor: Any) -> bool: ...


class Locks(Protocol):
    def held_locks(self, cursor: Any, *, seconds: float) -> list[HeldLock]: ...
    def is_write_locked(self, cursor: Any, *, seconds: float) -> bool: ...


class Schedules(Protocol):
    def move_schedules(self, cursor: Any, moves: Sequence[Move]) -> list[int]: ...
    def own_jobs(self, cursor: Any, *, jobs: Sequence[int], schedules: Sequence[int]) -> None: ...


class Steps(Protocol):
    def store_step(
        self, cursor: Any, *, process: int, job: int, claimed_at: str, row: StepRow
    ) -> bool: ...
    def complete(
        self, cursor: Any, *, process: int, job: int, claimed_at: str, result: str | None
    ) -> bool: ...


class Twin(
    Inserts,
    Gates,
    Claims,
    Few,
    Jobs,
    Staging,
    Changes,
    Fronts,
    Keys,
    Budgets,
    Metrics,
    Sessions,
    Locks,
    Schedules,
    Steps,
    Protocol,
):
    """One of the two packages of statements."""
