"""Says in words what a cron expression means."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

UNITS: Final = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


def expression(fields: Sequence[str]) -> str:
    """Such as "At 03:00, Monday through Friday"; the fields themselves if words fail."""
    # Processes that run jobs describe nothing, and should not carry the words.
    from cron_descriptor import ExpressionDescriptor, Options

    text = " ".join(fields).upper()
    options = Options(locale_code="en_US", use_24hour_time_format=True)
    try:
        return str(ExpressionDescriptor(text, options).get_description()) or text
    except Exception:  # its errors have no common ground, and a lack of words stops nothing
        return text


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
