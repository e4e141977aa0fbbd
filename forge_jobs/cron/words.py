"""Says in words what a cron expression means: all of it, and nothing that its fires contradict."""

from datetime import timedelta
from typing import Final

from forge_jobs.cron.clock_words import clock
from forge_jobs.cron.day_words import days, months
from forge_jobs.cron.reading import Reading

UNITS: Final = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


def sentence(reading: Reading) -> str:
    """Such as "At 03:00, Monday through Friday"."""
    phrases = [clock(reading), days(reading), months(reading.months)]
    said = ", ".join(filter(None, phrases))
    return said[0].upper() + said[1:]


def interval(every: timedelta) -> str:
    """Such as "Every hour and 30 minutes"."""
    left = int(every.total_seconds())
    parts = []
    for unit, seconds in UNITS.items():
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}s" if count > 1 else f"1 {unit}")
    if len(parts) == 1:
        return f"Every {parts[0].removeprefix('1 ')}"
    return f"Every {', '.join(parts[:-1])} and {parts[-1]}"
