"""What a run stores for the runs after it: it reads that once, checks it, and keeps it bounded."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from asgiref.sync import sync_to_async
from django.db import Error, transaction

from forge_jobs import db, jsontext
from forge_jobs.conf import conf
from forge_jobs.db.rows import ClaimedJob, StepRow
from forge_jobs.exceptions import InvalidStep
from forge_jobs.handlers.outcomes import Dead, Throttled
from forge_jobs.sets.refusals import is_in_transaction, refuse_transaction, refuse_unsuited
from forge_jobs.sets.stores import Store
from forge_jobs.states import Role
from forge_jobs.wording import quoted

if TYPE_CHECKING:
    from forge_jobs.sets.iteration import Walk

P = ParamSpec("P")
T = TypeVar("T")

MOST_STEPS: Final = 1_000
"""Of one job, its cursors among them."""
LONGEST_NAME: Final = 200
MOST_TIMES_THE_LARGEST: Final = 8
"""All values of a job together, by the largest that one may be."""
LOCKED_SECONDS: Final = 1.0


class Steps:
    """The steps of one run; what a step gives is always as JSON gives it back."""

    def __init__(self, job: ClaimedJob, store: Store) -> None:
        self.job: Final = job
        self.store: Final = store
        self.walks: Final[list[Walk[Any]]] = []
        self._named: set[str] = set()
        self._naming: Final = Lock()

    def run(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if inspect.iscoroutinefunction(function):
            raise InvalidStep(
                f"step {quoted(name)} is an async function: write await ctx.astep(...).",
                field="function",
            )
        if row := self.begin(name, Role.STEP, instead=", or call ctx.atomic_step()"):
            return cast("T", json.loads(row.value))
        return self.keep(name, function(*args, **kwargs))

    async def arun(
        self, name: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if row := await sync_to_async(self.begin)(name, Role.STEP):
            return cast("T", json.loads(row.value))
        returned: Any = function(*args, **kwargs)
        if inspect.isawaitable(returned):
            returned = await returned
        return cast("T", await sync_to_async(self.keep)(name, returned))

    def run_atomically(
        self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if row := self.begin(name, Role.STEP):
            return cast("T", json.loads(row.value))
        try:
            with transaction.atomic(using=db.connection().alias):
                return self.save(name, Role.STEP, function(*args, **kwargs))
        except Error as error:
            self._kept.pop(name, None)
            if db.twin().is_locked(error):
                raise Throttled(LOCKED_SECONDS, scope="job") from error
            raise

    def flush(self) -> None:
        """Store how far each walk has come; raises `ClaimLost`."""
        for walk in self.walks:
            walk.save()

    @property
    def have_moved(self) -> bool:
        """Whether a walk of this run has stored that it came further than those before."""
        return any(walk.has_moved for walk in self.walks)

    def begin(self, name: str, role: Role, *, instead: str = "") -> StepRow | None:
        """What was stored under a name, which nothing else of this run has; None for nothing yet.

        Raises `InvalidStep`, before anything has been done that could not be kept.
        """
        self._refuse_name(name)
        refuse_unsuited(self.job.kind, f"{role} {quoted(name)}")
        refuse_transaction(f"{role} {quoted(name)}", instead=instead)
        with self._naming:
            if name in self._named:
                raise InvalidStep(
                    f"{role} {quoted(name)} is there twice in one run: what it has stored would "
                    f"be taken for the other's. Let the name tell them apart, as in "
                    f'f"charge {{order.pk}}".',
                    field="name",
                )
            self._named.add(name)
        row = self.stored(name)
        if row and row.role != role:
            raise InvalidStep(
                f"{role} {quoted(name)} was a {row.role} when it was stored: give it another name.",
                field="name",
            )
        if row is None and len(self._kept) >= MOST_STEPS:
            raise InvalidStep(
                f"{role} {quoted(name)} would be one more than the {MOST_STEPS:,} that a job may "
                f"have: walk rows by ctx.iterate(), or enqueue a job for each.",
                field="name",
            )
        return row

    def stored(self, name: str) -> StepRow | None:
        return self._kept.get(name)

    def keep(self, name: str, value: T) -> T:
        """Store what a step gave; where that can't be, the job is dead, for it would run again."""
        try:
            return self.save(name, Role.STEP, value)
        except InvalidStep as error:
            raise Dead(
                f"{error} The step has run, and would run again with each attempt."
            ) from None

    def save(self, name: str, role: Role, value: T) -> T:
        """Store a value, and give it back as JSON does; raises `InvalidStep`, `ClaimLost`."""
        row = StepRow(name, role, self._as_text(name, role, value))
        self.store.write(self.job, row)
        if role is Role.CHECKPOINT and is_in_transaction():
            vars(self).pop("_kept")  # which may be rolled back
        else:
            self._kept[name] = row
        return cast("T", json.loads(row.value))

    @cached_property
    def _kept(self) -> dict[str, StepRow]:
        return {row.name: row for row in self.store.read(self.job)}

    def _as_text(self, name: str, role: Role, value: object) -> str:
        what = f"the value of {role} {quoted(name)}" if name else f"the {role}"
        try:
            text = jsontext.dumps(value, name=what)
        except jsontext.NotJSON as error:
            raise InvalidStep(str(error), field="value") from None
        others = sum(len(row.value) for row in self._kept.values() if row.name != name)
        largest = conf().max_payload_bytes
        for size, most, whose in (
            (jsontext.size(text), largest, "it may have"),
            (others + jsontext.size(text), MOST_TIMES_THE_LARGEST * largest, "a job may store"),
        ):
            if size > most:
                raise InvalidStep(
                    f"{what} would make it {size:,} bytes, more than the {most:,} that {whose} "
                    f'(see FORGE_JOBS["MAX_PAYLOAD_BYTES"]): store it elsewhere, and keep its key.',
                    field="value",
                )
        return text

    def _refuse_name(self, name: object) -> None:
        is_text = isinstance(name, str) and 0 < len(name) <= LONGEST_NAME
        if not is_text or not str(name).isprintable() or not jsontext.is_storable(str(name)):
            raise InvalidStep(
                f"The name of a step must be a string of 1 to {LONGEST_NAME} printable "
                f"characters, not {quoted(name)}.",
                field="name",
            )
