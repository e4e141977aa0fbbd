"""What would go wrong later is said at start-up, with what to do."""

from forge_jobs.checks import children, database, handlers, schedules, settings

__all__ = ["children", "database", "handlers", "schedules", "settings"]
