"""Which jobs: the sets of rows that the rest of the code speaks of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from asgiref.sync import sync_to_async
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from forge_jobs.exceptions import JobFailed
from forge_jobs.models import joining
from forge_jobs.models.base import Constant, constants
from forge_jobs.models.label import JobLabel
from forge_jobs.models.process import Process
from forge_jobs.states import TERMINAL, UNFINISHED, WAITING, State

if TYPE_CHECKING:
    from forge_jobs.models.job import Job  # noqa: F401 - ruff reads no base in quotes

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

GIVEN_UP: Final = Q(
    state=State.CANCELLED,
    gate__isnull=False,
    cancel_requested_at__isnull=True,
    started_at__isnull=True,
)
"""Cancelled before they began, because what they come after did not end as it should."""


class JobFilters(models.QuerySet["Job"]):
    def ready(self) -> Self:
        return self.filter(state=Constant(State.READY))

    def running(self) -> Self:
        return self.filter(state=Constant(State.RUNNING))

    def due(self) -> Self:
        """Ready, or kept from it by a concurrency key."""
        return self.filter(state__in=constants([State.READY, State.BLOCKED]))

    def blocked(self) -> Self:
        return self.filter(state=Constant(State.BLOCKED))

    def held(self) -> Self:
        return self.filter(state=Constant(State.HELD))

    def waiting(self) -> Self:
        return self.filter(state__in=constants(WAITING))

    def unfinished(self) -> Self:
        return self.filter(state__in=constants(UNFINISHED))

    def finished(self) -> Self:
        return self.filter(state__in=constants(TERMINAL))

    def ended_as(self, state: State) -> Self:
        """Finished, in one state, so that their index has them by the moment of their end.

        Without a word on that moment SQLite would go through those of all other states as well.
        """
        return self.finished().filter(state=Constant(state), finished_at__gt=EPOCH)

    def cancellable(self) -> Self:
        """Unfinished, and not asked to stop yet."""
        return self.unfinished().filter(cancel_requested_at__isnull=True)

    def killable(self) -> Self:
        return self.unfinished().filter(is_to_be_killed=False)

    def given_up(self) -> Self:
        return self.filter(GIVEN_UP)

    def unneeded(self) -> Self:
        """Those that no unfinished job comes after, and that are in no batch that has not ended."""
        followed = self.model._default_manager.filter(
            state__in=constants(UNFINISHED), gate__predecessors__job=OuterRef("pk")
        )
        batches = self.model._meta.get_field("batch").related_model._default_manager
        ended = batches.filter(pk=OuterRef("batch_id"), ended_at__isnull=False)
        return self.filter(~Exists(followed), Q(batch__isnull=True) | Exists(ended))

    def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        rows = self.order_by().values_list("state").annotate(models.Count("pk"))
        return dict(rows)

    def join(self, timeout: timedelta | float | None = None) -> list[Any]:
        """Wait until all of these have ended; returns their results, the oldest job's first.

        Raises `JobFailed` for the first that is dead or cancelled, `TimeoutError`, or `CantWait`.
        """
        joining.join(self._has_ended, what="these jobs", timeout=timeout)
        return self._as_joined()

    async def ajoin(self, timeout: timedelta | float | None = None) -> list[Any]:
        await joining.ajoin(self._has_ended, what="these jobs", timeout=timeout)
        return await sync_to_async(self._as_joined)()

    def _has_ended(self) -> bool | None:
        return None if self.unfinished().exists() else True

    def _as_joined(self) -> list[Any]:
        if failed := self.exclude(state=State.SUCCEEDED).order_by("pk").first():
            raise JobFailed(failed)
        return list(self.order_by("pk").values_list("result", flat=True))

    def expired(self, *, now: datetime) -> Self:
        """Those that should have begun by now and are not even claimed."""
        late = self.filter(expires_at__lte=now, finished_at__isnull=True)
        return late.exclude(state=State.RUNNING)

    def labelled(self, label: str) -> Self:
        return self.filter(pk__in=JobLabel.objects.filter(label=label).values("job"))

    def unrivalled(self) -> Self:
        """Those whose dedupe key, if any, no unfinished job has."""
        rival = self.model._default_manager.unfinished().filter(dedupe_key=OuterRef("dedupe_key"))
        return self.filter(~Exists(rival))

    def completed(self) -> Self:
        """Running ones that their handlers have made a success already."""
        return self.filter(finished_at__gte=F("started_at"))

    def claimed_by(self, *processes: Process) -> Self:
        return self.running().filter(process__in=processes)

    def orphaned(self) -> Self:
        """Claimed by a process that has been forgotten."""
        return self.running().filter(~Exists(Process.objects.filter(pk=OuterRef("process_id"))))

    def _queues_and_keys(self) -> tuple[set[str], set[str]]:
        rows = list(self.values_list("queue", "concurrency_key"))
        return {queue for queue, _ in rows}, {key for _, key in rows if key}
