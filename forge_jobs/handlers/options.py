"""What may be said of a handler: checked, and brought into shape, where it is registered."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from forge_jobs import redaction
from forge_jobs.conf.bounds import MAX_ATTEMPTS, MAX_PRIORITY, MIN_PRIORITY
from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import InvalidHandler
from forge_jobs.handlers.function import FunctionHandler
from forge_jobs.handlers.handler import MAX_CONCURRENCY, UNSET, JobHandler
from forge_jobs.wording import quoted

LONGEST_KIND: Final = 200
MAX_BYTES: Final = 2**63 - 1


class Rule(NamedTuple):
    option: str
    allows: Callable[[Any], bool]
    words: str


def bring_into_shape(handler: JobHandler) -> None:
    """Raises `InvalidHandler` or `InvalidSchedule`, which name the field."""
    if not isinstance(handler, JobHandler):
        what = f"the class {handler.__name__}" if isinstance(handler, type) else quoted(handler)
        raise InvalidHandler(
            f"register() takes an instance of a JobHandler, not {what}.", field="handler"
        )
    _refuse_bad_kind(handler.kind)
    for rule in RULES:
        if not rule.allows(given := getattr(handler, rule.option)):
            raise InvalidHandler(
                f"{rule.option} of {handler.kind} must be {rule.words}, not {quoted(given)}.",
                field=rule.option,
            )
    _read_duration(handler, "timeout")
    _read_duration(handler, "retry_for")
    _read_duration(handler, "expires_in")
    if handler.retry_for and handler.max_attempts is UNSET:
        handler.max_attempts = None
    _read_redact(handler)
    _refuse_contradictions(handler)


def _refuse_contradictions(handler: JobHandler) -> None:
    if handler.atomic and handler.is_async:
        raise InvalidHandler(
            f"{handler.kind} can't be atomic: Django has no transactions in async code.",
            field="atomic",
        )
    for name in ("preload", "max_memory"):
        if getattr(handler, name) and not handler.isolation:
            raise InvalidHandler(
                f'{name} of {handler.kind} is for children: give isolation="process", too.',
                field=name,
            )
    if handler.validate:
        _refuse_unvalidated(handler)
    if handler.api and not handler.open_to_others:
        raise InvalidHandler(
            f"{handler.kind} can't be in the api: it is not open_to_others.", field="api"
        )
    schedules = handler.declared_schedules()
    if handler.resident:
        handler.check({})  # nobody is there who could give it a payload
        if schedules:
            raise InvalidHandler(
                f"{handler.kind} can't have schedules: it is resident.", field="resident"
            )
        if handler.expires_in:
            raise InvalidHandler(
                f"expires_in of {handler.kind} can't be given: it is resident.", field="expires_in"
            )


def _refuse_unvalidated(handler: JobHandler) -> None:
    if not isinstance(handler, FunctionHandler):
        raise InvalidHandler(
            f"{handler.kind} can't validate: that takes the annotations of a function, given to "
            f"@job. Let its check() refuse what does not fit.",
            field="validate",
        )
    if find_spec("msgspec") is None:
        raise InvalidHandler(
            f"{handler.kind} can't validate without msgspec: install forge-jobs[validation].",
            field="validate",
        )


def _refuse_bad_kind(kind: object) -> None:
    if not isinstance(kind, str) or not 0 < len(kind) <= LONGEST_KIND:
        raise InvalidHandler(
            f"kind must be a string of 1 to {LONGEST_KIND} characters, not {quoted(kind)}.",
            field="kind",
        )
    if not kind.isprintable():
        raise InvalidHandler(
            f"kind must have no character that can't be printed, unlike {quoted(kind)}.",
            field="kind",
        )


def _read_duration(handler: JobHandler, name: str) -> None:
    if (given := getattr(handler, name)) is None:
        return
    try:
        duration = as_timedelta(given, field=f"{name} of {handler.kind}")
    except ValueError as error:
        raise InvalidHandler(str(error), field=name) from None
    if not duration:
        raise InvalidHandler(f"{name} of {handler.kind} must be longer than 0 seconds.", field=name)
    setattr(handler, name, duration)


def _read_redact(handler: JobHandler) -> None:
    try:
        handler.redact = redaction.names(handler.redact, field=f"redact of {handler.kind}")
    except ValueError as error:
        raise InvalidHandler(str(error), field="redact") from None


def _is_whole(given: object, least: int, most: int) -> bool:
    return type(given) is int and least <= given <= most


def _are_exceptions(given: object) -> bool:
    classes = given if isinstance(given, tuple) else (given,)
    return all(isinstance(one, type) and issubclass(one, BaseException) for one in classes)


def _is_flag(given: object) -> bool:
    return isinstance(given, bool)


RULES: Final = (
    Rule("queue", lambda given: given is None or isinstance(given, str), "a queue's name, or None"),
    Rule(
        "priority",
        lambda given: _is_whole(given, MIN_PRIORITY, MAX_PRIORITY),
        f"a whole number from {MIN_PRIORITY} to {MAX_PRIORITY}",
    ),
    Rule(
        "max_attempts",
        lambda given: given is None or given is UNSET or _is_whole(given, 1, MAX_ATTEMPTS),
        f"1 to {MAX_ATTEMPTS:,}, or None for no limit",
    ),
    Rule(
        "concurrency_key",
        lambda given: given is None or isinstance(given, str) or callable(given),
        "a text, or a function of the payload",
    ),
    Rule(
        "concurrency_limit",
        lambda given: _is_whole(given, 1, MAX_CONCURRENCY),
        f"1 to {MAX_CONCURRENCY:,}",
    ),
    Rule(
        "max_concurrent_per_process",
        lambda given: given is None or _is_whole(given, 1, MAX_ATTEMPTS),
        "1 or more, or None for no limit",
    ),
    Rule(
        "retry",
        lambda given: given is None or callable(given),
        "a policy of forge_jobs.backoff or a callable",
    ),
    Rule("retry_on", _are_exceptions, "an exception's class, or a tuple of such"),
    Rule("dead_on", _are_exceptions, "an exception's class, or a tuple of such"),
    Rule(
        "warn_attempts",
        lambda given: given is None or _is_whole(given, 0, MAX_ATTEMPTS),
        "0 or more, or None for all",
    ),
    Rule("atomic", _is_flag, "True or False"),
    Rule("resident", _is_flag, "True or False"),
    Rule("isolation", lambda given: given in (None, "process"), '"process", or None for a thread'),
    Rule("preload", lambda given: isinstance(given, str), "the path of a module"),
    Rule(
        "max_memory",
        lambda given: given is None or _is_whole(given, 1, MAX_BYTES),
        "a number of bytes, or None for no limit",
    ),
    Rule("validate", _is_flag, "True or False"),
    Rule("api", _is_flag, "True or False"),
)
