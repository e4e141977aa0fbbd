"""Every block of code in the README and in docs/ runs, in the order in which a page shows it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.pages import database, output
from tests.pages.blocks import Block, blocks
from tests.pages.scenes import SCENES, Scene
from tests.pages.shop import ROOT, Shop

README = ROOT / "README.md"
PAGES = [README, *sorted(ROOT.glob("docs/*.md"))]

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def new_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop.founded(tmp_path_factory.mktemp("shops") / "new")


@pytest.fixture
def shop(new_shop: Shop, tmp_path: Path) -> Iterator[Shop]:
    with database.lent() as settings:
        yield new_shop.copied(tmp_path / "shop", settings=settings)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(page: Path, shop: Shop) -> None:
    if page != README:
        prepare(SCENES.get(page.stem, Scene()), shop=shop)
    printed = ""
    for block in blocks(page):
        if block.is_run_on(connection.vendor):
            try:
                printed = follow(block, shop=shop, printed=printed)
            except Exception as error:
                raise AssertionError(f"{block.place}: {error}") from error
    shop.run("ruff check --isolated --quiet --select=F821 .")
    shop.run("python manage.py check --fail-level=WARNING")


def prepare(scene: Scene, *, shop: Shop) -> None:
    """Let it be so that the README has been followed, and what the page takes for granted."""
    for block in blocks(README):
        if block.file:
            shop.put(block.file, block.code)
    for name, code in scene.files.items():
        shop.put(name, code)
    shop.run("python manage.py migrate --verbosity=0")
    if scene.typed:
        shop.type(scene.typed)


def follow(block: Block, *, shop: Shop, printed: str) -> str:
    """Do what a block tells a reader to do, who saw something `printed`; says what is, now."""
    match block.language:
        case "python" if block.file:
            shop.put(block.file, block.code)
        case "python" if block.is_typed_into_a_shell:
            return shop.type(block.code)
        case "sh":
            return "".join(command(line, shop=shop) for line in block.lines)
        case "text":
            output.compare(shown=block.code, printed=printed)
        case "ini":
            return shop.run_until_it_works(said(r"^ExecStart=\S+/(python .*)$", block))
        case "yaml":
            words = json.loads(said(r"^ *command: (\[.*\])$", block))
            return shop.run_until_it_works(" ".join(words))
        case _:
            raise AssertionError("it says neither what it is nor where it belongs")
    return printed


def command(line: str, *, shop: Shop) -> str:
    match line.split():
        case "make", target:
            return shop.run(f"make --dry-run --directory={ROOT} {target}")
        case _, "manage.py", "runjobs", *_:
            return shop.run_until_it_works(line)
        case _, "manage.py", "jobs", "health", *_:
            return shop.run(line, codes=(0, 1))
        case _:
            return shop.run(line)


def said(pattern: str, block: Block) -> str:
    found = re.search(pattern, block.code, re.MULTILINE)
    assert found, pattern
    return found[1]
