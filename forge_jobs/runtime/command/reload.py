"""Stops a process when its code changes, for development: its supervisor starts a fresh one."""

from os import PathLike
from threading import Thread

from django.utils.autoreload import StatReloader

from forge_jobs.runtime.engine import Engine


class Reloader(StatReloader):
    """Django's watch over all modules that are loaded."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine

    def notify_file_changed(self, path: str | PathLike[str]) -> None:
        self.engine.request_stop(f"{path} has changed")
        self.stop()


def stop_on_change(engine: Engine) -> None:
    reloader = Reloader(engine)
    Thread(target=reloader.run_loop, name="forge_jobs-reloader", daemon=True).start()
