"""Wires forge_jobs into a project: finds its handlers and tasks, and registers the checks."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from types import ModuleType

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import module_has_submodule

from forge_jobs.conf import conf
from forge_jobs.exceptions import InvalidHandler
from forge_jobs.handlers.function import FunctionHandler
from forge_jobs.handlers.registry import registry


class ForgeJobsConfig(AppConfig):
    name = "forge_jobs"
    verbose_name = "Forge Jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from forge_jobs import checks  # noqa: F401 - to register them
        from forge_jobs.db import reading  # noqa: F401 - so that it hears of connections

        autodiscover()
        read_annotations()


def autodiscover() -> None:
    """Import each app's `jobs.py`, and what `FORGE_JOBS["IMPORTS"]` names.

    Where `TASKS` has a backend of ours, each app's `tasks.py` too. What fails is kept for the
    system check to show.
    """
    _imported(_submodules("jobs"))
    named = _imported(_named())
    others = [
        path for path in _backends() if not path.startswith(("django.tasks.", "django_tasks."))
    ]
    if not others:
        return
    from forge_jobs.backend import discovery, endings

    if any(discovery.is_ours(path) for path in others):
        endings.watch()
        discovery.know_tasks_of([*named, *_imported(_submodules("tasks"))])


def read_annotations() -> None:
    """Of all handlers that validate: not in the middle of a request, and by a test's clock never.

    Where the names of dates stand for another clock's, as freezegun lets them, they would be its.
    """
    for handler in registry.handlers():
        if isinstance(handler, FunctionHandler) and handler.validate:
            with suppress(InvalidHandler):  # a system check tells
                handler.annotated  # noqa: B018  # kept from now on


def _submodules(name: str) -> Iterator[str]:
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, name):
            yield f"{config.name}.{name}"


def _named() -> Iterable[str]:
    try:
        return conf().imports
    except ImproperlyConfigured:  # a system check tells
        return ()


def _backends() -> list[str]:
    """The paths that `TASKS` names; what is of another shape Django tells of."""
    tasks = getattr(settings, "TASKS", None)
    entries = tasks.values() if isinstance(tasks, Mapping) else ()
    return [str(entry.get("BACKEND", "")) for entry in entries if isinstance(entry, Mapping)]


def _imported(paths: Iterable[str]) -> list[ModuleType]:
    modules = []
    for path in paths:
        try:
            modules.append(import_module(path))
        except Exception as error:
            registry.import_failures[path] = error
    return modules
