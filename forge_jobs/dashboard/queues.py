"""What an operator sees of each queue: how it is, what waits, who works, and how fast it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from forge_jobs import durations
from forge_jobs.conf import conf
from forge_jobs.dashboard.paging import Paged, sought
from forge_jobs.dashboard.series import finished_by_queue
from forge_jobs.dashboard.sparkline import Sparkline
from forge_jobs.dashboard.totals import Totals
from forge_jobs.dashboard.window import Window
from forge_jobs.models import Process, Queue, RateLimitBudget, Share
from forge_jobs.operations.status import lag_since, oldest_ready
from forge_jobs.states import State

MOODS: Final[dict[str, str | Promise]] = {
    "paused": gettext_lazy("paused"),
    "cooling": gettext_lazy("cooling"),
    "unserved": gettext_lazy("unserved"),
    "running": gettext_lazy("running"),
}

PAGE: Final = 24


@dataclass(frozen=True, kw_only=True)
class QueueCard:
    """`row` is None for a queue that no process has started with since it was declared.

    `busy` is how many run, claimed ones that wait for a slot of `max_workers` left out; `threads`
    are those of the live processes that serve it; `buttons` is for the page to fill.
    """

    name: str
    row: Queue | None
    at: datetime
    counts: dict[State, int]
    busy: int
    due_at: datetime | None
    lag: timedelta
    processes: int
    threads: int
    is_budget_known: bool
    sparkline: Sparkline
    buttons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def moods(self) -> list[tuple[str, str | Promise]]:
        """All that keeps its jobs from being run, each with its label; or that nothing does."""
        found = []
        if self.row and self.row.is_paused:
            found.append("paused")
        if self.row and self.row.is_cooling(now=self.at):
            found.append("cooling")
        if not self.processes:
            found.append("unserved")
        return [(mood, MOODS[mood]) for mood in found or ["running"]]

    @property
    def mood(self) -> str:
        return self.moods[0][0]

    @property
    def cools_until(self) -> datetime | None:
        is_cooling = self.row and self.row.is_cooling(now=self.at)
        return self.row.throttled_until if self.row and is_cooling else None

    @property
    def is_declared(self) -> bool:
        return self.name in conf().queues

    @property
    def limit(self) -> int | None:
        """How many of its jobs may run at once."""
        return self.row.max_workers if self.row else None

    @property
    def retention(self) -> str:
        """How long finished jobs are kept, in words."""
        if self.row is None:
            return ""
        kept = _kept(self.row.retain_succeeded_seconds), _kept(self.row.retain_failed_seconds)
        return _("succeeded %s, dead and cancelled %s") % kept

    @property
    def retries(self) -> str:
        """What becomes of failures, where an operator has said so."""
        if self.row is None or (self.row.retries and self.row.retry_base_seconds is None):
            return ""
        if not self.row.retries:
            return _("none: what fails is dead")
        return _("after %s, then twice as long each time") % durations.told(
            self.row.retry_base_seconds or 0
        )


def read(*, now: datetime, words: str = "", page: str = "") -> Paged[QueueCard]:
    """By name; `words` are sought in names."""
    known = _Known.read()
    text = sought(words).casefold()
    names = [name for name in known.names if text in name.casefold()]
    shown = Paged.of(names, size=PAGE, page=page)
    return shown.showing(_cards(known, shown.rows, now=now))


def named(name: str, *, now: datetime) -> QueueCard | None:
    """One of them; None if there is none of that name."""
    known = _Known.read()
    return _cards(known, [name], now=now)[0] if name in known.names else None


class _Known(NamedTuple):
    totals: Totals
    rows: dict[str, Queue]
    names: list[str]

    @classmethod
    def read(cls) -> Self:
        totals = Totals.read()
        rows = {row.name: row for row in Queue.objects.all()}
        return cls(totals, rows, sorted({*conf().queues, *rows, *totals.queues()}))


def _cards(known: _Known, names: Sequence[str], *, now: datetime) -> list[QueueCard]:
    live = list(Process.objects.claiming(now=now))
    oldest = oldest_ready()
    throughput = finished_by_queue(Window.last("30m", now=now), queues=names)
    budgets = {"", *RateLimitBudget.objects.names()}
    limited = [name for name in names if (row := known.rows.get(name)) and row.max_workers]
    busy = Share.objects.busy(limited) if limited else {}
    cards = []
    for name in names:
        counts = known.totals.by_state(name)
        serving = [process for process in live if name in process.queues]
        row = known.rows.get(name)
        cards.append(
            QueueCard(
                name=name,
                row=row,
                at=now,
                counts=counts,
                busy=busy.get(name, counts[State.RUNNING]),
                due_at=oldest.get(name),
                lag=lag_since(oldest.get(name), now=now),
                processes=len(serving),
                threads=sum(process.threads for process in serving),
                is_budget_known=row is None or row.budget in budgets,
                sparkline=Sparkline(throughput.get(name, ())),
            )
        )
    return cards


def _kept(seconds: float | None) -> str:
    if seconds is None:
        return _("for ever")
    return durations.told(seconds) if seconds else _("not at all")
