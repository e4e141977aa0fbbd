"""Tracebacks as people read them: which lines are of the project's own code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

FRAME: Final = re.compile(r'\s+File "(?P<path>.*?)", line \d+')
FOREIGN: Final = re.compile(
    r"/(site|dist)-packages/|/lib/python\d+(\.\d+)?/|^[A-Za-z]:/.*/Lib/|^<frozen |^<string>$"
)
OURS: Final = Path(__file__).parents[1].as_posix() + "/"


@dataclass(frozen=True)
class Passage:
    """Lines that belong together; `is_own` if they are of a frame in the project's own code."""

    text: str
    is_own: bool


def passages(traceback: str) -> list[Passage]:
    """Put together again, their texts are the traceback.

    The process that wrote it down may have run elsewhere, so that paths alone tell: installed
    packages, Python's own library and forge_jobs are not the project's.
    """
    marked = groupby(_marked(traceback), key=lambda line: line[1])
    return [Passage("".join(line for line, _ in lines), is_own) for is_own, lines in marked]


def _marked(traceback: str) -> Iterator[tuple[str, bool]]:
    is_own = False
    for line in traceback.splitlines(keepends=True):
        if frame := FRAME.match(line):
            is_own = is_of_the_project(frame["path"])
        elif not line.startswith("  "):
            is_own = False
        yield line, is_own


def is_of_the_project(path: str) -> bool:
    path = path.replace("\\", "/")
    return not FOREIGN.search(path) and not path.startswith(OURS)
