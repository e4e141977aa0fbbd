"""Wires forge_jobs into a project: finds each app's `jobs.py` and registers the checks."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule

from forge_jobs.handlers.registry import registry


class ForgeJobsConfig(AppConfig):
    name = "forge_jobs"
    verbose_name = "Forge Jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from forge_jobs import checks  # noqa: F401 - to register them
        from forge_jobs.db import reading  # noqa: F401 - so that it hears of connections

        autodiscover()


def autodiscover() -> None:
    """Import each app's `jobs.py`; one that fails is kept for the system check to show."""
    for config in apps.get_app_configs():
        if config.module is None or not module_has_submodule(config.module, "jobs"):
            continue
        try:
            import_module(f"{config.name}.jobs")
        except Exception as error:
            registry.import_failures[f"{config.name}.jobs"] = error
