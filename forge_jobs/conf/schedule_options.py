"""The options of a schedule, one by one: taken as they are given, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, TypeVar

from forge_jobs import jsontext
from forge_jobs.cron.zones import UnknownZone, zone_named
from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import InvalidSchedule
from forge_jobs.wording import meant, quoted

E = TypeVar("E", bound=Enum)

LONGEST_NAME: Final = 200


def expression_of(cron: str | None, every: timedelta | None) -> str:
    from forge_jobs.cron.expression import BadExpression, Cron, written

    if (cron is None) == (every is None):
        raise InvalidSchedule("either cron or every must be given.", field="cron")
    for given, kind, name in ((cron, str, "cron"), (every, timedelta, "every")):
        if given is not None and not isinstance(given, kind):
            told = f"{name} must be a {kind.__name__}, not {quoted(given)}."
            raise InvalidSchedule(told, field=name)
    try:
        if every is not None:
            return written(every)
        return Cron(cron or "").expression
    except BadExpression as error:
        if every is not None:
            raise InvalidSchedule(f"every: {error.reason}.", field="every") from None
        raise InvalidSchedule(f"cron {quoted(cron)}: {error}.", field="cron") from None


def schedule_name(given: str | None) -> str | None:
    if given is None:
        return None
    if isinstance(given, str) and 0 < len(given) <= LONGEST_NAME and jsontext.is_storable(given):
        return given
    raise InvalidSchedule(
        f"name must be a string of 1 to {LONGEST_NAME} characters, not {quoted(given)}.",
        field="name",
    )


def zone_key(given: str | None) -> str:
    if given is None:
        return ""
    if isinstance(given, str):
        with suppress(UnknownZone):
            return zone_named(given).key
    raise InvalidSchedule(
        f"timezone must be an IANA name such as 'Europe/Berlin', not {quoted(given)}.",
        field="timezone",
    )


def payload_of(given: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidSchedule(
            f"payload must be a dictionary, not {quoted(given)}.", field="payload"
        )
    try:
        payload: dict[str, Any] = json.loads(jsontext.dumps(dict(given), name="payload"))
    except jsontext.NotJSON as error:
        raise InvalidSchedule(str(error), field="payload") from None
    return payload


def queue_name(given: str | None) -> str:
    if given is None or (isinstance(given, str) and given):
        return given or ""
    raise InvalidSchedule(f"queue must be a queue's name, not {quoted(given)}.", field="queue")


def number(given: int | None, name: str, least: int, most: int) -> int | None:
    if given is None or (type(given) is int and least <= given <= most):
        return given
    raise InvalidSchedule(
        f"{name} must be a whole number from {least:,} to {most:,}, not {quoted(given)}.",
        field=name,
    )


def choice(choices: type[E], given: object, name: str) -> E:
    values = [choice.value for choice in choices]
    if isinstance(given, str) and given in values:
        return choices(given)
    known = ", ".join(map(repr, values))
    raise InvalidSchedule(
        f"{name} must be one of {known}, not {quoted(given)}.{meant(given, values)}", field=name
    )


def seconds(given: timedelta | float) -> float:
    try:
        return as_timedelta(given, field="jitter").total_seconds()
    except ValueError as error:
        raise InvalidSchedule(str(error), field="jitter") from None


def moment(given: datetime | None, name: str) -> datetime | None:
    if given is None:
        return None
    if not isinstance(given, datetime) or given.utcoffset() is None:
        raise InvalidSchedule(f"{name} must be an aware datetime, not {quoted(given)}.", field=name)
    return given.astimezone(UTC)


def flag(given: bool) -> bool:
    if not isinstance(given, bool):
        raise InvalidSchedule(
            f"enabled must be True or False, not {quoted(given)}.", field="enabled"
        )
    return given
