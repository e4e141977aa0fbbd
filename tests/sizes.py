"""How much is tried: as much as tells, or on demand as much as is promised."""

import os
from typing import TypeVar

Size = TypeVar("Size")


def sized(usual: Size, *, full: Size) -> Size:
    """The full size if `FORGE_JOBS_TEST_SIZE` is `full`, as in `make judge`."""
    return full if os.environ.get("FORGE_JOBS_TEST_SIZE") == "full" else usual
