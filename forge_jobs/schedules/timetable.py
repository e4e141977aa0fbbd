"""All schedules that code declares, at handlers and in settings."""

from collections.abc import Iterator

from forge_jobs.conf import conf
from forge_jobs.conf.schedules import DeclaredSchedule
from forge_jobs.handlers.registry import registry


def declared() -> dict[str, DeclaredSchedule]:
    """By name."""
    return {one.name or one.kind: one for one in every_declared()}


def every_declared() -> Iterator[DeclaredSchedule]:
    """Also those that share a name, which the system check refuses."""
    for handler in registry.handlers():
        yield from handler.declared_schedules()
    yield from conf().schedules.values()
