"""Writes down which children this process has, and counts those that made way for others."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from django.db import Error

from forge_jobs.handlers.registry import registry
from forge_jobs.models import Child, ChildEnd, ChildRestart, Process
from forge_jobs.services.base import Service
from forge_jobs.signals import pool_child_ended

MIB: Final = 2**20
"""The grain of what is told of memory: a child at rest should not be written again and again."""


class Roll(Service):
    """Writes nothing as long as nothing has changed, and asks nothing where there are no pools."""

    interval = timedelta(seconds=5)
    rests_at_first = timedelta(seconds=1)

    def __init__(self, process: Process, *, writing: AbstractContextManager[object]) -> None:
        self._process = process
        self._writing = writing
        self._written: set[tuple[Any, ...]] = set()
        self._lock = Lock()
        self._restarts: Counter[tuple[str, ChildEnd]] = Counter()
        pool_child_ended.connect(self._count)

    def run_once(self, *, now: datetime) -> int:
        told = self.tell_of_restarts(now=now)
        has_signed_off = self._process.pk is None  # and its children with it
        return told if has_signed_off else told + self.call()

    def call(self) -> int:
        """Store who is there, if that has changed; returns how many those are."""
        children = [
            Child(
                process=self._process,
                kind=handler.kind,
                pid=child.pid,
                jobs_done=child.jobs_done,
                rss_bytes=child.memory() // MIB * MIB,
                job_id=child.job_id,
            )
            for handler in registry.handlers()
            if handler.pool
            for child in handler.pool.children()
        ]
        facts = {(one.pid, one.jobs_done, one.rss_bytes, one.job_id) for one in children}
        if facts == self._written:
            return 0
        with self._writing:
            Child.objects.keep(children, process=self._process)
        self._written = facts
        return len(children)

    def tell_of_restarts(self, *, now: datetime) -> int:
        with self._lock:
            taken, self._restarts = self._restarts, Counter()
        if not taken:
            return 0
        try:
            with self._writing:
                return ChildRestart.objects.add(taken, now=now)
        except Error:
            with self._lock:
                self._restarts.update(taken)
            raise

    def _count(self, *, name: str, reason: ChildEnd | str, **kwargs: Any) -> None:
        if reason:
            with self._lock:
                self._restarts[name, ChildEnd(reason)] += 1
