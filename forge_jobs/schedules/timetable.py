"""All schedules that code declares, at handlers and in settings."""

from collections.abc import Iterator
from typing import Any

from forge_jobs.conf import conf
from forge_jobs.conf.schedules import DeclaredSchedule
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Schedule


def declared() -> dict[str, DeclaredSchedule]:
    """By name."""
    return {one.name or one.kind: one for one in every_declared()}


def seeds() -> dict[str, dict[str, Any]]:
    """The same as JSON keeps it."""
    return {name: Schedule.as_seed(one.columns()) for name, one in declared().items()}


def every_declared() -> Iterator[DeclaredSchedule]:
    """Also those that share a name, which the system check refuses."""
    for handler in registry.handlers():
        yield from handler.declared_schedules()
    yield from conf().schedules.values()
