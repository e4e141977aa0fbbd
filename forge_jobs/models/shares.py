"""Which part of a queue's `max_workers` each process holds, and how it changes hands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final, NamedTuple

from django.db import models
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.models.base import JobsManager, JobsModel
from forge_jobs.models.job import Job
from forge_jobs.models.process import Process
from forge_jobs.models.queue import Queue
from forge_jobs.states import ProcessState

TURN: Final = timedelta(seconds=5)
"""How long a process keeps its only slot while others that want one have none."""


class Stake(NamedTuple):
    """What a process holds of a queue's slots, and how many it could use."""

    process: int
    slots: int
    wanted: int
    since: datetime
    """When it got its first slot, or lost its last one."""
    claims: bool = True
    """Whether it takes jobs: one that is quiet or stops does not."""

    @property
    def is_hungry(self) -> bool:
        return self.claims and self.wanted > self.slots


class Terms(NamedTuple):
    """What came of settling a share."""

    slots: int
    """What the process holds as of now: others count on it not to begin more."""
    fair: int
    """What it should come to hold."""
    allowed: int
    """How many it may run: it begins none as long as all together hold too many."""


class ShareManager(JobsManager["Share"]):
    def stakes(self, queues: Collection[str]) -> dict[str, dict[int, Stake]]:
        """Who holds what, by queue and process; those of processes that are gone do not count."""
        found: dict[str, dict[int, Stake]] = {queue: {} for queue in queues}
        columns = ("queue", "process_id", "slots", "wanted", "since", "process__state")
        rows = self.filter(queue__in=queues).values_list(*columns)
        for queue, process, slots, wanted, since, state in rows:
            claims = state == ProcessState.RUNNING
            found[queue][process] = Stake(process, slots, wanted, since, claims)
        return found

    def settle(
        self,
        queue: str,
        *,
        process: Process,
        wanted: int,
        claims: bool,
        limit_to: Callable[[int], int],
        now: datetime,
    ) -> Terms | None:
        """Say how many slots a process could use; let its share shrink, or grow into what is free.

        `limit_to(slots)` lets the process begin no more than so many, and returns how many run:
        those stay its own until they have ended. None as long as somebody else has the queue's
        row locked.
        """
        with db.read_committed():
            # Written first: SQLite's snapshot must not be older than the lock.
            self.bulk_create(
                [Share(queue=queue, process_id=process.pk, slots=0, wanted=wanted, since=now)],
                update_conflicts=True,
                update_fields=["wanted"],
                unique_fields=["queue", "process"],
            )
            rows = Queue.objects.select_for_update(skip_locked=True).filter(name=queue)
            limit = rows.values_list("max_workers", flat=True).first()
            if limit is None:
                return None
            stakes = self.stakes([queue])[queue]
            if process.pk not in stakes:
                return None
            stakes[process.pk] = mine = stakes[process.pk]._replace(claims=claims)
            fair = fair_shares(limit, stakes.values(), now=now)[process.pk]
            free = limit - sum(stake.slots for stake in stakes.values())
            kept = min(fair, mine.slots) if free >= 0 else 0
            slots = max(limit_to(kept), kept)
            if fair > slots and free > 0 and self.all_are_known(queue, stakes):
                slots = min(fair, slots + free)
            if slots != mine.slots:
                since = mine.since if bool(slots) == bool(mine.slots) else now
                self.filter(queue=queue, process=process).update(slots=slots, since=since)
        is_exceeded = slots - mine.slots > free
        return Terms(slots, fair, 0 if is_exceeded else min(slots, fair))

    def all_are_known(self, queue: str, stakes: Mapping[int, Stake]) -> bool:
        """Whether all that serve a queue have a share in it, if only of no slots.

        Who has none knows nothing of a limit, or of shares, and may run any number of jobs.
        """
        processes = Process.objects.exclude(pk__in=stakes).values_list("queues", flat=True)
        return not any(queue in queues for queues in processes)

    def busy(self, queues: Collection[str]) -> dict[str, int]:
        """How many slots of these queues are in use; what was claimed beyond a share waits."""
        jobs = Job.objects.running().filter(queue__in=queues).values_list("queue", "process_id")
        shares = self.filter(queue__in=queues).values_list("queue", "process_id", "slots")
        slots = {(queue, process): held for queue, process, held in shares}
        busy = dict.fromkeys(queues, 0)
        for queue, process, claimed in jobs.annotate(count=Count("pk")).order_by():
            busy[queue] += min(claimed, slots.get((queue, process), claimed))
        return busy

    def give_up(self, queue: str, *, process: Process) -> int:
        """Forget the share of a process in a queue that has no limit any more."""
        return self.filter(queue=queue, process=process).delete()[0]

    def forget_lost(self) -> int:
        """Forget the shares of processes that are gone; returns how many."""
        return self.exclude(process__in=Process.objects.all()).delete()[0]


class Share(JobsModel):
    queue = models.CharField(_("queue"), max_length=100)
    process = models.ForeignKey(
        Process,
        verbose_name=_("process"),
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="shares",
    )
    slots = models.PositiveIntegerField(
        _("slots"), help_text=_("How many of the queue's jobs the process may run at once.")
    )
    wanted = models.PositiveIntegerField(
        _("wanted"), help_text=_("How many it could use, when it last said so.")
    )
    since = models.DateTimeField(_("since"))

    objects: ClassVar[ShareManager] = ShareManager()

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["queue", "process"], name="forge_jobs_share_of_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.queue}: {self.slots}"


def fair_shares(limit: int, stakes: Iterable[Stake], *, now: datetime) -> dict[int, int]:
    """How many slots each process should have, by its key.

    Those that could use some share them as evenly as can be; what is left is split so that all
    have about as many: 10 over 3 is 4, 3, 3. Who has more than others keeps what is left over, but
    where there are fewer slots than processes that want one, they take turns.
    """
    stakes = list(stakes)
    shares = {stake.process: 0 for stake in stakes}
    claiming = sorted((one for one in stakes if one.claims), key=lambda one: one.process)
    claiming.sort(key=lambda one: -one.slots)
    wanting = [one for one in claiming if one.wanted]
    if len(wanting) > limit:
        wanting.sort(key=lambda one: _turn(one, now=now))
    left = _pour(limit, shares, {one.process: one.wanted for one in wanting})
    _pour(left, shares, {one.process: limit for one in claiming})
    return shares


def _turn(stake: Stake, *, now: datetime) -> tuple[int, datetime]:
    """Before others: whoever has just got its slot, then who has waited for the longest time."""
    if not stake.slots:
        return 1, stake.since
    return (2 if stake.since <= now - TURN else 0), stake.since


def _pour(slots: int, shares: dict[int, int], caps: Mapping[int, int]) -> int:
    """Raise the lowest shares first, none above its cap; returns how many slots are left."""
    while slots > 0 and (below := [pk for pk, cap in caps.items() if shares[pk] < cap]):
        level = min(shares[pk] for pk in below)
        lowest = [pk for pk in below if shares[pk] == level]
        ceiling = min(_levels_above(level, shares, below, caps))
        each = min(ceiling - level, slots // len(lowest))
        for pk in lowest if each else lowest[:slots]:
            shares[pk] += each or 1
            slots -= each or 1
    return slots


def _levels_above(
    level: int, shares: Mapping[int, int], below: Sequence[int], caps: Mapping[int, int]
) -> list[int]:
    return [shares[pk] for pk in below if shares[pk] > level] + [
        caps[pk] for pk in below if shares[pk] == level
    ]
