"""What the type checker of a project that uses forge_jobs finds wrong, and what it doesn't."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STRICT = "[mypy]\nstrict = true\n"
PLUGIN = """\
plugins = mypy_django_plugin.main
[mypy.plugins.django-stubs]
django_settings_module = shop.settings
"""

EXPECTED = re.compile(r"# expect (plugin )?error: (.*)")
FOUND = re.compile(r"^(.*?):(\d+): error: (.*)$", re.MULTILINE)

Place = tuple[str, int]

pytestmark = [pytest.mark.once, pytest.mark.timeout(400)]


def test_strict_mypy_with_the_plugin_of_django_stubs_finds_each_error_and_no_other(
    tmp_path: Path,
) -> None:
    assert_found(checked(STRICT + PLUGIN, tmp_path), expected(with_plugin=True))


def test_strict_mypy_without_it_finds_all_but_the_errors_in_lookups(tmp_path: Path) -> None:
    assert_found(checked(STRICT, tmp_path), expected(with_plugin=False))


def assert_found(found: dict[Place, str], expected: dict[Place, str]) -> None:
    assert found.keys() == expected.keys(), found
    unlike = {place: found[place] for place, text in expected.items() if text not in found[place]}
    assert not unlike


def expected(*, with_plugin: bool) -> dict[Place, str]:
    """The comments of the project, by the place below each."""
    return {
        (f"shop/{path.name}", number + 1): match[2]
        for path in (HERE / "shop").glob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (match := EXPECTED.match(line.strip())) and (with_plugin or not match[1])
    }


def checked(configuration: str, folder: Path) -> dict[Place, str]:
    """What mypy finds in the project, in a process of its own as the plugin sets Django up."""
    ini = folder / "mypy.ini"
    ini.write_text(configuration)
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ini, "--cache-dir", folder, "-p", "shop"],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=390,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    found: defaultdict[Place, str] = defaultdict(str)
    for file, number, text in FOUND.findall(run.stdout):
        found[file, int(number)] += text
    return found
