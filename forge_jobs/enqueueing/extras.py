"""What few jobs are given: until when they may begin, labels, what becomes of a duplicate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, get_args

from forge_jobs import clock, jsontext
from forge_jobs.db.rows import Extras
from forge_jobs.durations import as_moment, as_timedelta
from forge_jobs.enqueueing.place import Place
from forge_jobs.exceptions import InvalidOption
from forge_jobs.handlers.handler import JobHandler, OnDuplicate
from forge_jobs.wording import listed, meant, quoted

MOST_LABELS: Final = 10
LONGEST_LABEL: Final = 100
WAYS: Final = get_args(OnDuplicate)


def extras_of(
    handler: JobHandler,
    *,
    run_at: datetime | None,
    expires_at: datetime | None,
    expires_in: timedelta | float | None,
    labels: Iterable[str],
    on_duplicate: str,
    dedupe_key: str | None,
    idempotency_key: str | None,
    place: Place | None,
) -> Extras | None:
    """None for a job that has nothing of it; raises `InvalidOption`, which names the field."""
    expires = expires_at is not None or expires_in is not None or handler.expires_in is not None
    if not expires and labels == () and on_duplicate == "keep":
        return None
    if on_duplicate not in WAYS:
        raise InvalidOption(
            f"on_duplicate must be one of {listed(WAYS)}, not {quoted(on_duplicate)}."
            f"{meant(on_duplicate, WAYS)}",
            field="on_duplicate",
        )
    if on_duplicate != "keep":
        _refuse_keys(on_duplicate, dedupe_key=dedupe_key, idempotency_key=idempotency_key)
        if place is not None:
            raise InvalidOption(
                f'on_duplicate can\'t be "{on_duplicate}" beside batch or after: the job that has '
                f"the key stays where it is.",
                field="on_duplicate",
            )
    return Extras(
        expires_at=_expiry(handler, run_at=run_at, expires_at=expires_at, expires_in=expires_in),
        labels=_labels(labels),
        on_duplicate=on_duplicate,
    )


def _refuse_keys(way: str, *, dedupe_key: str | None, idempotency_key: str | None) -> None:
    if not dedupe_key:
        raise InvalidOption(
            f'on_duplicate is "{way}", which says nothing without a dedupe_key.',
            field="on_duplicate",
        )
    if idempotency_key:
        raise InvalidOption(
            f'on_duplicate can\'t be "{way}" beside an idempotency_key, which keeps the first job.',
            field="on_duplicate",
        )


def _expiry(
    handler: JobHandler,
    *,
    run_at: datetime | None,
    expires_at: datetime | None,
    expires_in: timedelta | float | None,
) -> datetime | None:
    if expires_at is not None:
        if expires_in is not None:
            raise InvalidOption(
                "expires_in can't be given together with expires_at.", field="expires_in"
            )
        return _moment(expires_at, run_at=run_at)
    if expires_in is None:
        expires_in = handler.expires_in
    if expires_in is None:
        return None
    try:
        duration = as_timedelta(expires_in, field="expires_in")
    except ValueError as error:
        raise InvalidOption(str(error), field="expires_in") from None
    if not duration:
        raise InvalidOption("expires_in must be longer than 0 seconds.", field="expires_in")
    now = clock.now()
    return max(now, run_at or now) + duration


def _moment(given: datetime, *, run_at: datetime | None) -> datetime:
    try:
        moment = as_moment(given, field="expires_at", now=clock.now())
    except ValueError as error:
        raise InvalidOption(str(error), field="expires_at") from None
    if run_at is not None and moment <= run_at:
        raise InvalidOption(
            f"expires_at is {moment.isoformat()}, but the job is not due before "
            f"{run_at.isoformat()}: it could never begin.",
            field="expires_at",
        )
    return moment


def _labels(given: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order in which they were given."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidOption(
            f'labels must be many, such as ("import",), not {quoted(given)}.', field="labels"
        )
    labels = tuple(dict.fromkeys(map(_label, given)))
    if len(labels) > MOST_LABELS:
        raise InvalidOption(
            f"labels are {len(labels):,}; a job has at most {MOST_LABELS}.", field="labels"
        )
    return labels


def _label(given: str) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_LABEL:
        raise InvalidOption(
            f"labels must be strings of 1 to {LONGEST_LABEL} characters, not {quoted(given)}.",
            field="labels",
        )
    if not jsontext.is_storable(given) or not given.isprintable() or given != given.strip():
        raise InvalidOption(
            f"labels must have neither spaces around them nor characters that can't be printed, "
            f"unlike {quoted(given)}.",
            field="labels",
        )
    return given
