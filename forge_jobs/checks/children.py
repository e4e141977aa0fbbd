"""Checks of the programs that handlers start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps.config import AppConfig
from django.core import checks
from django.core.checks import CheckMessage

from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.registry import registry


def check_programs(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """No more than warnings: where jobs are enqueued, programs need not be."""
    return [
        checks.Warning(
            f"Jobs of {handler.kind!r} can't run here: {missing}.",
            hint="Install it where runjobs is to run them; elsewhere silence this check.",
            obj=handler.place,
            id="forge_jobs.W014",
        )
        for handler in registry.handlers()
        for missing in _missing(handler)
    ]


def _missing(handler: JobHandler) -> Iterator[str]:
    from forge_jobs.handlers.command import Command, search_path

    if handler.pool:
        program = handler.pool.program
        folder = Path(program.cwd or ".")
        name = os.fspath(program.argv[0])
        path = {**os.environ, **program.env}.get("PATH")
        yield from _no_folder(folder)
        yield from _no_program(folder / name if "/" in name else name, path=path)
    if isinstance(handler, Command):
        yield from _no_folder(handler.root)
        for name in sorted(handler.allow):
            yield from _no_program(name, path=search_path())


def _no_folder(folder: Path | None) -> Iterator[str]:
    if folder and not folder.is_dir():
        yield f"there is no folder {folder}"


def _no_program(name: str | Path, *, path: str | None) -> Iterator[str]:
    if not shutil.which(name, path=path):
        yield f"there is no program {name}"
