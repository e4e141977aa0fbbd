"""`python -m forge_jobs.child package.module:function` calls a function for each job."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module
from typing import Any

from forge_jobs.child.serving import serve


def main() -> None:
    parser = ArgumentParser(prog="python -m forge_jobs.child", description=__doc__)
    parser.add_argument("function", metavar="MODULE:FUNCTION", help="takes a job's payload by name")
    given = parser.parse_args().function
    sys.path.insert(0, os.getcwd())
    try:
        function = found(given)
    except ValueError as error:
        parser.error(str(error))
    serve(function)


def found(given: str) -> Callable[..., Any]:
    """Raises `ValueError`, and what the module does."""
    name, _, path = given.partition(":")
    if not name or not path:
        raise ValueError(f"{given!r} is no module and function, such as shop.words:count")
    function: Any = import_module(name)
    for part in path.split("."):
        function = getattr(function, part, None)
    if not callable(function):
        raise ValueError(f"{name} has no function {path}")
    return function  # type: ignore[no-any-return] # it is callable


if __name__ == "__main__":
    main()
