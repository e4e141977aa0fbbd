"""Stops a process when its code changes, for development: its supervisor starts a fresh one."""

from os import PathLike
from threading import Thread

from django.utils.autoreload import StatReloader

from forge_jobs.runtime.lifecycle import Lifecycle


class Reloader(StatReloader):
    """Django's watch over all modules that are loaded."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        super().__init__()
        self.lifecycle = lifecycle

    def notify_file_changed(self, path: str | PathLike[str]) -> None:
        self.lifecycle.request_stop(f"{path} has changed")
        self.stop()


def stop_on_change(lifecycle: Lifecycle) -> None:
    reloader = Reloader(lifecycle)
    Thread(target=reloader.run_loop, name="forge_jobs-reloader", daemon=True).start()
