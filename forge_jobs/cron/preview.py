"""What a form shows of an expression as it is typed: its meaning, and when it is due next."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.dateformat import format as formatted

from forge_jobs.cron.expression import BadExpression, Cron
from forge_jobs.cron.zones import UnknownZone, zone_named

FORESEEN: Final = 5


def preview(
    expression: str, timezone: str = "", *, now: datetime, count: int = FORESEEN
) -> dict[str, Any]:
    """JSON for `cron.js`; an empty `timezone` is the project's.

    Either `{"words": ..., "timezone": ..., "next": [{"at": <ISO>, "text": ...}, ...]}`, or
    `{"field": ..., "error": ...}` for what can't be read.
    """
    try:
        zone = zone_named(timezone or settings.TIME_ZONE)
        cron = Cron(expression, zone)
    except UnknownZone as error:
        return {"field": "timezone", "error": str(error)}
    except BadExpression as error:
        return {"field": error.field, "error": error.reason}
    following: list[dict[str, str]] = []
    due = cron.after(now)
    while due and len(following) < count:
        local = due.astimezone(zone)
        following.append({"at": local.isoformat(), "text": formatted(local, "D j M Y H:i:s T")})
        due = cron.after(due)
    return {"words": cron.in_words(), "timezone": zone.key, "next": following}
