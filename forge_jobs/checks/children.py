"""Checks of the programs that handlers start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps.config import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, register

from forge_jobs.children.program import Program
from forge_jobs.handlers.registry import registry


@register()
def check_programs(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """No more than warnings: where jobs are enqueued, programs need not be."""
    return [
        checks.Warning(
            f"The children of {handler.kind!r} can't be started here: {missing}.",
            hint="Install it where runjobs is to run them; elsewhere silence this check.",
            obj=handler.place,
            id="forge_jobs.W014",
        )
        for handler in registry.handlers()
        if handler.pool
        for missing in _missing(handler.pool.program)
    ]


def _missing(program: Program) -> Iterator[str]:
    folder = Path(program.cwd or ".")
    if not folder.is_dir():
        yield f"there is no folder {folder}"
    name = os.fspath(program.argv[0])
    path = {**os.environ, **program.env}.get("PATH")
    if not shutil.which(folder / name if "/" in name else name, path=path):
        yield f"there is no program {name}"
