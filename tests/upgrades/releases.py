"""The release before this one, built and installed beside it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.running import ROOT

BASE: Final = os.environ.get("FORGE_JOBS_TEST_UPGRADE_FROM") or "c400f13a314a"
"""The commit of the release that this one follows, whose processes run on during the upgrade.

Move it with each release, never past the last one that somebody may have installed. `make upgrade`
tries another one, such as the main branch.
"""

SOURCES: Final = ("forge_jobs", "pyproject.toml", "README.md", "LICENSE")


def is_missing() -> str:
    """Why the base can't be built here; empty if it can be."""
    if not shutil.which("git"):
        return "git is missing, which has the release before"
    asked = ["git", "cat-file", "-e", f"{BASE}^{{commit}}"]
    if subprocess.run(asked, cwd=ROOT, capture_output=True).returncode:
        return f"this clone's history does not reach back to {BASE}"
    return ""


def install_base(folder: Path) -> dict[str, str]:
    """Build it as a wheel and install that; the environment of processes that run on it.

    What it depends on is what the suite has.
    """
    sources, wheels, site = folder / "sources", folder / "wheels", folder / "site"
    sources.mkdir(parents=True)
    archive = folder / "sources.tar"
    _run("git", "archive", f"--output={archive}", BASE, "--", *SOURCES)
    _run("tar", "--extract", f"--file={archive}", f"--directory={sources}")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    alone = ("--no-deps", "--no-index")
    _run(*pip, "wheel", *alone, "--no-build-isolation", f"--wheel-dir={wheels}", str(sources))
    _run(*pip, "install", *alone, f"--target={site}", *map(str, wheels.iterdir()))
    return looking_through(site)


def looking_through(*first: Path) -> dict[str, str]:
    """The environment in which Python finds there, and not in its own folder, what it can."""
    path = os.pathsep.join(map(str, [*first, ROOT]))
    return {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
