"""Whether this process uses a CUDA driver, with which no fork of it could work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LIBRARY: Final = "libcuda.so"
"""Of the driver itself. What only counts devices asks libnvidia-ml, and does no harm."""

DEVICES: Final = ("/dev/nvidia", "/dev/dxg", "/dev/nvmap")
"""Those of Linux, of Linux within Windows, and of Tegra."""


def driver_in_use() -> str:
    """Which library and which device it is, in words; empty if there is none, or nobody can tell.

    Asks the system, as nothing else can be asked that would not load the driver itself.
    """
    try:
        mapped = Path("/proc/self/maps").read_text(errors="replace")
        opened = [_target(entry) for entry in os.scandir("/proc/self/fd")]
    except OSError:
        return ""
    return found(mapped=mapped, opened=opened)


def found(*, mapped: str, opened: Iterable[str]) -> str:
    """The same of the text of `/proc/self/maps`, and of the paths of open files."""
    paths = (fields[5] for line in mapped.splitlines() if len(fields := line.split(None, 5)) > 5)
    libraries = [name for path in paths if (name := Path(path).name).startswith(LIBRARY)]
    devices = sorted(path for path in opened if path.startswith(DEVICES))
    return f"{libraries[0]} is loaded, {devices[0]} is open" if libraries and devices else ""


def _target(entry: os.DirEntry[str]) -> str:
    try:
        return os.readlink(entry.path)
    except OSError:  # that of the folder itself, for instance
        return ""
