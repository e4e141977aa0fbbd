"""The times on a wall that fit a cron expression: croniter's part."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

BEGINNING: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a time on the wall


class NeverDue(Exception):
    """Nothing that fits comes any more."""


class WallTimes:
    """Naive times only, for what croniter makes of changes of the clock is not our rule.

    Raises a `ValueError`, a `KeyError` or an `IndexError` for fields that croniter can't read.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        # Processes that run jobs and have no schedules should not carry it.
        from croniter import CroniterBadDateError, croniter

        self._never_due = CroniterBadDateError
        self._times = croniter(" ".join(fields), BEGINNING, second_at_beginning=True)

    def after(self, wall: datetime) -> datetime:
        """The next one, strictly later; raises `NeverDue`, or `OverflowError` at time's end."""
        try:
            following: datetime = self._times.get_next(datetime, start_time=wall)
        except self._never_due:
            raise NeverDue from None
        return following
