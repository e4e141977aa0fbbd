"""A shop: the project that the pages speak of, made as the README says, beside a database."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.running import PATIENCE, eventually, printed

ROOT = Path(__file__).parents[2]
COUNTER = Path(__file__).with_name("counter.py")
WORKS = "wake"
OF_THE_SHELL = {*"|&;<>$`"}

MODELS = """\
from django.db import models


class Order(models.Model):
    email = models.EmailField()
    paid = models.IntegerField(default=0)
    paid_at = models.DateTimeField(null=True)
"""

URLS = """\
from django.contrib import admin
from django.urls import path

from orders.views import checkout

urlpatterns = [path("admin/", admin.site.urls), path("checkout/", checkout, name="checkout")]
"""


@dataclass
class Shop:
    folder: Path

    settings: str = "shop.settings"

    counter: subprocess.Popen[str] | None = None
    """Stands for the shop as it was when it was put there."""

    @classmethod
    def founded(cls, folder: Path) -> "Shop":
        """As `startproject` and `startapp` leave it, with the model that the README speaks of."""
        folder.mkdir()
        shop = cls(folder)
        shop.run("python -m django startproject shop .")
        shop.run("python manage.py startapp orders")
        shop.path("orders/models.py").write_text(MODELS)
        shop.put("settings.py", 'INSTALLED_APPS += ["orders"]\n')
        shop.run("python manage.py makemigrations orders --verbosity=0")
        shop.path("shop/urls.py").write_text(URLS)
        return shop

    def copied(self, folder: Path, *, settings: str) -> "Shop":
        """With settings that say more than its own."""
        shutil.copytree(self.folder, folder)
        if not settings:
            return Shop(folder)
        (folder / "shop/elsewhere.py").write_text(settings)
        return Shop(folder, settings="shop.elsewhere")

    def path(self, name: str) -> Path:
        return self.folder / ("shop/settings.py" if name == "settings.py" else name)

    def put(self, name: str, code: str) -> None:
        """Add to a file, or replace it if the code says anew what something in it is."""
        self.close()
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else ""
        path.write_text(code if names(code) & names(before) else f"{before}\n\n{code}")

    def type(self, code: str) -> str:
        """What a shell prints into which the code is typed."""
        words = ["manage.py", "shell", "--verbosity=0", "--command", code]
        return self.ask(words, codes=(0,))

    def run(self, line: str, *, codes: Sequence[int] = (0,)) -> str:
        match shlex.split(line):
            case "python", "manage.py", "check" | "jobs", *_ if not OF_THE_SHELL & {*line}:
                return self.ask(shlex.split(line)[1:], codes=codes)
        ended = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=4 * PATIENCE,
        )
        assert ended.returncode in codes, f"{line}\n{ended.stdout}"
        return ended.stdout

    def ask(self, words: list[str], *, codes: Sequence[int]) -> str:
        """As `run` does, of a command of Django's that imports what the last one did."""
        self.counter = self.counter or subprocess.Popen(
            [sys.executable, COUNTER],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.counter.stdin
        assert self.counter.stdout
        printed = self.folder / "printed"
        self.counter.stdin.write(f"{json.dumps([words, str(printed)])}\n")
        self.counter.stdin.flush()
        code = self.counter.stdout.readline()
        assert code, "It could not even start."
        assert int(code) in codes, f"{shlex.join(words)}\n{printed.read_text()}"
        return printed.read_text()

    def close(self) -> None:
        if self.counter:
            with self.counter:
                pass
        self.counter = None

    def run_until_it_works(self, line: str) -> str:
        """Of `runjobs`: stop it once it has said all that it says at its start."""
        with tempfile.TemporaryFile(mode="w+") as log:
            process = subprocess.Popen(
                shlex.split(line), cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
            try:
                eventually(lambda: process.poll() is not None or WORKS in printed(log))
                process.send_signal(signal.SIGTERM)
                code = process.wait(PATIENCE)
            finally:
                process.kill()
            assert code == 0, f"{line}\n{printed(log)}"
            return printed(log)

    @property
    def environment(self) -> dict[str, str]:
        """The suite's own Python, and none of its settings."""
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            # Bytecode goes by the second and the size of a file, and ours are written faster.
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": self.settings,
        }


def names(code: str) -> set[str]:
    """Of the functions and classes that code defines."""
    return {*re.findall(r"^(?:async )?(?:def|class) (\w+)", code, re.MULTILINE)}
