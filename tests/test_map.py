"""The map in docs/how-it-works.md shows the house as it is."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "forge_jobs"
PAGE = (HOUSE.parent / "docs/how-it-works.md").read_text()

pytestmark = pytest.mark.once


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rooms() -> list[str]:
    return re.findall(r"^\| `([\w/.]+)` \|", section("The rooms"), re.MULTILINE)


def test_each_package_and_each_public_module_has_its_line() -> None:
    packages = {str(init.parent.relative_to(HOUSE)) for init in HOUSE.glob("**/__init__.py")}
    modules = {module.name for module in HOUSE.glob("*.py")}

    missing = (packages | modules) - {*rooms(), ".", "__init__.py", "management/commands"}

    assert not missing


def test_each_room_on_the_map_is_there_and_stands_there_once() -> None:
    assert [room for room in rooms() if not (HOUSE / room).exists()] == []
    assert len(rooms()) == len({*rooms()})


@pytest.mark.parametrize(
    "path", sorted({*re.findall(r"`([\w/*]+\.py)`", section("The way of a job, file by file"))})
)
def test_each_file_on_the_way_of_a_job_is_there_in_both_databases_if_it_is_a_twin(
    path: str,
) -> None:
    found = [*HOUSE.glob(path)]

    assert len(found) == (2 if "*" in path else 1)
