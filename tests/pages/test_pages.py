"""Every block of code in the README and in docs/ runs, in the order in which a page shows it."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from tests.pages import database, output
from tests.pages.blocks import Block, blocks
from tests.pages.database import Lent
from tests.pages.scenes import SCENES, Scene
from tests.pages.shop import ROOT, Shop

README = ROOT / "README.md"
PAGES = sorted(ROOT.glob("docs/*.md"))

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def new_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop.founded(tmp_path_factory.mktemp("shops") / "new")


@pytest.fixture(scope="module")
def open_shop(
    new_shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Shop, Lent]]:
    """As the README leaves it."""
    with database.lent() as own:
        shop = new_shop.copied(tmp_path_factory.mktemp("shops") / "open", settings=own.settings)
        for block in blocks(README):
            if block.file:
                shop.put(block.file, block.code)
        shop.run("python manage.py migrate --verbosity=0")
        yield shop, own


def test_the_blocks_of_the_readme_run(new_shop: Shop, tmp_path: Path) -> None:
    with database.lent() as own:
        run(README, shop=new_shop.copied(tmp_path / "shop", settings=own.settings))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(page: Path, open_shop: tuple[Shop, Lent], tmp_path: Path) -> None:
    opened, its_own = open_shop
    scene = SCENES.get(page.stem, Scene())
    with database.lent(like=its_own) as own:
        shop = opened.copied(tmp_path / "shop", settings=own.settings)
        for name, code in scene.files.items():
            shop.put(name, code)
        if scene.typed:
            shop.type(scene.typed)
        run(page, shop=shop)


def run(page: Path, *, shop: Shop) -> None:
    printed = ""
    with closing(shop):
        for block in blocks(page):
            if block.is_run_on(connection.vendor):
                try:
                    printed = follow(block, shop=shop, printed=printed)
                except Exception as error:
                    raise AssertionError(f"{block.place}: {error}") from error
        shop.run("ruff check --isolated --quiet --select=F821 .")
        shop.run("python manage.py check --fail-level=WARNING")


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
