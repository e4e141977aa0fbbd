"""The child of `isolation="process"`: loads the project once, then runs jobs of one kind."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import django

from forge_jobs.child.serving import line, log_to_parent


def main(kind: str, preload: str = "") -> None:
    os.environ.pop("PYTHONPATH", None)  # it was for this interpreter, not for what jobs start
    line.take_streams()
    django.setup()
    log_to_parent()
    if preload:
        import_module(preload)
    from forge_jobs.child.apprentice import Apprentice

    Apprentice(kind).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
