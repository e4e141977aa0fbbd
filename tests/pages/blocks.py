"""Reads the blocks of code out of a Markdown page, each with what a reader is told about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from django.utils.version import get_complete_version

FENCED = re.compile(
    r"(?:^ *<!-- (?P<note>[^>]*?) -->\n\s*)?"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
SHELL = "# python manage.py shell"


@dataclass(frozen=True)
class Block:
    """`note` is the HTML comment above it: `not run: WHY`, `on postgresql`, or `on django 6.1`."""

    place: str
    language: str
    code: str
    note: str

    @property
    def file(self) -> str | None:
        """The file that it says it belongs into."""
        found = re.match(r"# ([\w/]+\.py)\n", self.code)
        return found[1] if found else None

    @property
    def is_typed_into_a_shell(self) -> bool:
        return self.code.startswith(SHELL)

    def is_run_on(self, vendor: str) -> bool:
        match self.note.split():
            case "not", "run:", *_:
                return False
            case "on", "django", least:
                return get_complete_version() >= tuple(map(int, least.split(".")))
            case "on", only:
                return only == vendor
            case _:
                return True

    @property
    def lines(self) -> list[str]:
        """Of a block of commands: one of them each, though it is written on several."""
        return self.code.replace("\\\n", "").splitlines()


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in FENCED.finditer(text):
        line = text.count("\n", 0, found.start("code"))
        yield Block(
            place=f"{page.name}:{line}",
            language=found["language"],
            code=dedent(found["code"]),
            note=found["note"] or "",
        )
