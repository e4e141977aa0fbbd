"""What a process wants of the jobs that wait for concurrency keys when it sets these free."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple


class Wanted(NamedTuple):
    """It claims up to `limit` of them at once, if they are of these queues and kinds."""

    queues: Sequence[str]
    kinds: Sequence[str]
    limit: int
    now: datetime


NOTHING: Final = Wanted([], [], 0, datetime(1970, 1, 1, tzinfo=UTC))
