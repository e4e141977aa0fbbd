"""Why is it not running? Decides it from a few facts, and says so in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from forge_jobs.dashboard.awaited import Awaited
from forge_jobs.states import State

MANY: Final = 1_000
"""Up to so many jobs that are before another are counted."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A live process that serves the job's queue; `of_kind` is how many of the kind it runs."""

    name: str
    is_claiming: bool
    knows_kind: bool
    threads: int
    running: int
    of_kind: int = 0
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What bears on a job that waits; all but the first four are None or empty if it does not."""

    state: State
    queue: str
    kind: str
    run_at: datetime
    now: datetime
    attempt: int = 0
    max_attempts: int | None = None
    concurrency_key: str = ""
    holders: Sequence[int] = ()
    awaited: Awaited | None = None
    is_paused: bool = False
    cooling_until: datetime | None = None
    max_workers: int | None = None
    busy_workers: int = 0
    lock: str = ""
    budget: str = ""
    has_budget: bool = True
    budget_until: datetime | None = None
    kind_limit: int | None = None
    is_anybody_live: bool = True
    servers: Sequence[Server] = ()
    jobs_before: int = 0
    process: str = ""
    started_at: datetime | None = None
    silent_since: datetime | None = None
    cancel_requested_at: datetime | None = None
    is_to_be_killed: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """One sentence; a moment, or the jobs and batches that it speaks of, come at its end.

    Of those there may be more.
    """

    text: str
    moment: datetime | None = None
    jobs: Sequence[int] = ()
    batches: Sequence[tuple[int, str]] = ()
    has_more: bool = False


def diagnose(facts: Facts) -> Diagnosis | None:
    """None for a job that is over, unless it never ran for want of what it comes after."""
    match facts.state:
        case State.RUNNING:
            return _of_running(facts)
        case State.SCHEDULED | State.RETRYING if facts.run_at <= facts.now:
            return _of_overdue(facts)
        case State.SCHEDULED:
            return Diagnosis(_("It is scheduled for"), facts.run_at)
        case State.RETRYING if not facts.attempt:
            return Diagnosis(
                _("Its run was interrupted, at no cost; it is tried again at"), facts.run_at
            )
        case State.RETRYING:
            tried = {"attempt": facts.attempt, "of": facts.max_attempts or _("any number")}
            return Diagnosis(
                _("Attempt %(attempt)s of %(of)s failed; it is tried again at") % tried,
                facts.run_at,
            )
        case State.BLOCKED:
            return _of_blocked(facts)
        case State.HELD if facts.awaited:
            told = facts.awaited.of_held(is_anybody_live=facts.is_anybody_live)
            return Diagnosis(told, None, **facts.awaited.named)
        case State.CANCELLED if facts.awaited:
            return Diagnosis(facts.awaited.of_given_up())
        case State.READY:
            return _of_closed_queue(facts) or _of_servers(facts) or _of_terms(facts) or _next(facts)
        case _:
            return None


def _of_running(facts: Facts) -> Diagnosis:
    names = {"process": facts.process}
    if facts.silent_since:
        text = _(
            "It runs in %(process)s, which is silent; if it is lost, the job runs again. Since"
        )
        return Diagnosis(text % names, facts.silent_since)
    if facts.is_to_be_killed:
        return Diagnosis(_("It is being killed, since"), facts.cancel_requested_at)
    if facts.cancel_requested_at:
        text = _("It was asked to stop, and its handler has not done so yet; asked at")
        return Diagnosis(text, facts.cancel_requested_at)
    return Diagnosis(_("It runs in %(process)s, since") % names, facts.started_at)


def _of_overdue(facts: Facts) -> Diagnosis:
    if not facts.is_anybody_live:
        return Diagnosis(
            _("It is due, but no process lives that would let it run; due since"), facts.run_at
        )
    return Diagnosis(_("It is due, and becomes ready at any moment; due since"), facts.run_at)


def _of_blocked(facts: Facts) -> Diagnosis:
    key = {"key": facts.concurrency_key}
    if facts.holders:
        text = ngettext(
            "It waits for the concurrency key “%(key)s”, which is held by job",
            "It waits for the concurrency key “%(key)s”, which is held by jobs",
            len(facts.holders),
        )
        return Diagnosis(text % key, jobs=facts.holders)
    text = _("Its concurrency key “%(key)s” is free; the job that waits for it longest comes next.")
    return Diagnosis(text % key)


def _of_closed_queue(facts: Facts) -> Diagnosis | None:
    names = {"queue": facts.queue}
    if facts.is_paused:
        return Diagnosis(_("Queue %(queue)s is paused.") % names)
    if facts.max_workers == 0:
        return Diagnosis(_("Queue %(queue)s may have no workers: its max_workers is 0.") % names)
    if facts.cooling_until and facts.cooling_until > facts.now:
        text = _("Queue %(queue)s cools down after a throttle, until")
        return Diagnosis(text % names, facts.cooling_until)
    return None


def _of_servers(facts: Facts) -> Diagnosis | None:
    names = {"queue": facts.queue, "kind": facts.kind}
    claiming = [server for server in facts.servers if server.is_claiming]
    if not facts.is_anybody_live:
        return Diagnosis(_("No process is live: start one with manage.py runjobs."))
    if not facts.servers:
        return Diagnosis(_("No live process serves queue %(queue)s.") % names)
    if not claiming:
        text = _("The processes that serve queue %(queue)s are quiet or stopping: %(who)s.")
        return Diagnosis(text % {**names, "who": _named(facts.servers)})
    if not any(server.knows_kind for server in claiming):
        text = _("No live process of queue %(queue)s knows the kind %(kind)s.")
        return Diagnosis(text % names)
    if all(server.trouble for server in _able(facts)):
        return Diagnosis(f"{_able(facts)[0].name}: {_able(facts)[0].trouble}")
    return None


def _of_terms(facts: Facts) -> Diagnosis | None:
    names = {"queue": facts.queue, "kind": facts.kind, "budget": facts.budget}
    if facts.lock:
        return Diagnosis(facts.lock)
    if facts.max_workers is not None and facts.busy_workers >= facts.max_workers:
        text = _("Queue %(queue)s has all of its max_workers: %(busy)s of %(most)s are busy.")
        counts = {"busy": facts.busy_workers, "most": facts.max_workers}
        return Diagnosis(text % {**names, **counts})
    if not facts.has_budget:
        return Diagnosis(_("Queue %(queue)s spends budget %(budget)s, which is unknown.") % names)
    if facts.budget_until:
        return Diagnosis(_("Budget %(budget)s is empty until") % names, facts.budget_until)
    limit = facts.kind_limit
    if limit is not None and all(server.of_kind >= limit for server in _able(facts)):
        text = _("Each process runs as many jobs of kind %(kind)s as it may at once: %(limit)s.")
        return Diagnosis(text % {**names, "limit": limit})
    if all(server.running >= server.threads for server in _able(facts)):
        workers = sum(server.threads for server in _able(facts))
        text = ngettext(
            "The only worker that could run it is busy; %(before)s",
            "All %(workers)s workers that could run it are busy; %(before)s",
            workers,
        )
        return Diagnosis(text % {"workers": workers, "before": _before(facts)})
    return None


def _next(facts: Facts) -> Diagnosis:
    if not facts.jobs_before:
        return Diagnosis(_("Nothing keeps it: it is the next of its queue."))
    return Diagnosis(_("Nothing keeps it but its turn: %(before)s") % {"before": _before(facts)})


def _before(facts: Facts) -> str:
    count = facts.jobs_before
    if count > MANY:
        return _("more than %(count)s jobs are before it.") % {"count": f"{MANY:,}"}
    if not count:
        return _("it is the next of its queue.")
    text = ngettext("%(count)s job is before it.", "%(count)s jobs are before it.", count)
    return text % {"count": f"{count:,}"}


def _able(facts: Facts) -> list[Server]:
    return [server for server in facts.servers if server.is_claiming and server.knows_kind]


def _named(servers: Sequence[Server]) -> str:
    return ", ".join(server.name for server in servers[:5])
