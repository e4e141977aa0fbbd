"""Until when a job may begin: as it is said at the enqueue, and of a handler."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from forge_jobs import JobHandler, NewJob, enqueue_many, job, register
from forge_jobs.clock import ManualClock
from forge_jobs.exceptions import InvalidHandler, InvalidOption
from forge_jobs.models import Job
from tests.app.jobs import noop
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("options", "expiry"),
    [
        ({"expires_at": NOON + MINUTE}, NOON + MINUTE),
        ({"expires_in": MINUTE}, NOON + MINUTE),
        ({"expires_in": 60}, NOON + MINUTE),
        ({"expires_in": MINUTE, "delay": 60}, NOON + 2 * MINUTE),
        ({"expires_in": MINUTE, "run_at": NOON - MINUTE}, NOON + MINUTE),
        ({"expires_at": NOON + 3 * MINUTE, "delay": 60}, NOON + 3 * MINUTE),
        ({"expires_at": NOON - MINUTE}, NOON - MINUTE),
        ({}, None),
    ],
    ids=str,
)
def test_a_job_expires_at_a_moment_or_so_long_after_it_is_due(
    options: Any, expiry: datetime | None
) -> None:
    stored = noop.using(**options).enqueue()

    assert stored.expires_at == expiry
    stored.refresh_from_db()
    assert stored.expires_at == expiry


def test_of_many_each_expires_for_itself() -> None:
    jobs = enqueue_many([NewJob(noop), NewJob(noop, expires_in=60), NewJob(noop)])

    assert [one.expires_at for one in jobs] == [None, NOON + MINUTE, None]


def test_a_handler_s_jobs_expire_unless_it_is_said_otherwise() -> None:
    @job(kind="tests.brief", expires_in=60)
    def brief() -> None: ...

    assert brief.enqueue().expires_at == NOON + MINUTE
    assert brief.using(expires_in=1).enqueue().expires_at == NOON + timedelta(seconds=1)
    assert brief.using(expires_at=NOON + 5 * MINUTE).enqueue().expires_at == NOON + 5 * MINUTE


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"expires_in": 0}, "expires_in", "longer than 0 seconds"),
        ({"expires_in": "1h"}, "expires_in", "a timedelta or a number of seconds"),
        ({"expires_at": "noon"}, "expires_at", "must be a datetime"),
        ({"expires_at": NOON.replace(tzinfo=None)}, "expires_at", "must be aware"),
        ({"expires_at": NOON, "expires_in": 1}, "expires_in", "together with expires_at"),
        ({"expires_at": NOON + MINUTE, "delay": 60}, "expires_at", "could never begin"),
    ],
    ids=str,
)
def test_an_expiry_that_can_not_be_meant_is_refused(options: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidOption, match=words) as refusal:
        noop.using(**options).enqueue()

    assert refusal.value.field == field
    assert not Job.objects.exists()


class Brief(JobHandler):
    kind = "tests.brief"
    expires_in = MINUTE

    def __init__(self, options: dict[str, Any]) -> None:
        vars(self).update(options)


@pytest.mark.parametrize("options", [{"expires_in": 0}, {"expires_in": "1h"}, {"resident": True}])
def test_a_handler_s_expiry_is_checked_where_it_is_declared(options: Any) -> None:
    with pytest.raises(InvalidHandler) as refusal:
        register(Brief(options))

    assert refusal.value.field == "expires_in"


def test_a_moment_that_is_over_already_makes_a_job_that_never_begins(
    manual_clock: ManualClock,
) -> None:
    from forge_jobs.testing import drain

    stored = noop.using(expires_at=NOON - MINUTE).enqueue()

    assert not drain()
    stored.refresh_from_db()
    assert (stored.state, stored.cancel_reason) == (
        "cancelled",
        "Expired at 2026-03-02 11:59:00 UTC",
    )
