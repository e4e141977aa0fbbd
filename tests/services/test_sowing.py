"""During a deploy old and new code declare at once: the newer word stands, whoever leads."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from forge_jobs.conf.schedules import schedule
from forge_jobs.models import Process, Schedule, Timetable
from forge_jobs.services.sowing import Sowing
from tests.conftest import NOON
from tests.factories import process_named

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

Declared = dict[str, dict[str, Any]]


def declared(**crons: str) -> Declared:
    """As JSON keeps it: names, and when they are due."""
    return {
        name: Schedule.as_seed(schedule(cron, name=name).of("app.noop").columns())
        for name, cron in crons.items()
    }


OLD = declared(nightly="0 3 * * *", legacy="0 4 * * *")
NEW = declared(nightly="0 5 * * *", monthly="0 6 1 * *")


@pytest.fixture
def leader(monkeypatch: pytest.MonkeyPatch) -> Sowing:
    """Of the old code, as is so often the case when a deploy begins."""
    monkeypatch.setattr("forge_jobs.schedules.timetable.seeds", lambda: OLD)
    return Sowing()


def starts(name: str, words: Declared, *, at: datetime = NOON) -> Process:
    """A process of that code."""
    fingerprint = Timetable.objects.declare(words, now=at)
    return process_named(name, timetable=fingerprint, started_at=at, heartbeat_at=at)


def beat(*processes: Process, at: datetime) -> None:
    for process in processes:
        Process.objects.beat(process, now=at)


def enabled() -> dict[str, str]:
    rows = Schedule.objects.filter(is_enabled=True)
    return dict(rows.order_by("name").values_list("name", "expression"))


def test_new_code_s_schedules_are_stored_though_old_code_leads(leader: Sowing) -> None:
    starts("old", OLD)
    leader.run_once(now=NOON)
    starts("new", NEW)
    leader.run_once(now=NOON + 5 * SECOND)

    assert enabled() == {"legacy": "0 4 * * *", "monthly": "0 6 1 * *", "nightly": "0 5 * * *"}


def test_what_nobody_declares_any_more_is_abandoned_once_the_last_who_did_is_gone(
    leader: Sowing,
) -> None:
    old = starts("old", OLD)
    leader.run_once(now=NOON)
    new = starts("new", NEW)
    beat(old, new, at=NOON + MINUTE)
    leader.run_once(now=NOON + MINUTE)
    assert "legacy" in enabled()

    old.delete()
    beat(new, at=NOON + 2 * MINUTE)
    leader.run_once(now=NOON + 2 * MINUTE)
    assert enabled() == {"monthly": "0 6 1 * *", "nightly": "0 5 * * *"}


def test_old_code_that_takes_the_lead_for_a_pass_undoes_nothing(leader: Sowing) -> None:
    starts("old", OLD)
    leader.run_once(now=NOON)
    starts("new", NEW)
    leader.run_once(now=NOON + 5 * SECOND)
    Schedule.objects.filter(name="monthly").update(next_fire_at=NOON + DAY, queue="bulk")
    Schedule.objects.filter(name="nightly").update(expression="30 5 * * *")
    leader.begin_anew()
    leader.run_once(now=NOON + 10 * SECOND)

    assert enabled()["nightly"] == "30 5 * * *"
    monthly = Schedule.objects.get(name="monthly")
    assert (monthly.next_fire_at, monthly.queue) == (NOON + DAY, "bulk")


def test_old_processes_that_are_started_again_during_a_deploy_are_not_newer(
    leader: Sowing,
) -> None:
    starts("old", OLD)
    leader.run_once(now=NOON)
    starts("new", NEW)
    starts("old again", OLD, at=NOON + SECOND)
    leader.run_once(now=NOON + 5 * SECOND)

    assert enabled()["nightly"] == "0 5 * * *"


def test_not_even_the_only_one_that_crashed_and_is_started_again(leader: Sowing) -> None:
    old = starts("old", OLD, at=NOON - DAY)
    beat(old, at=NOON)
    leader.run_once(now=NOON)
    starts("new", NEW, at=NOON + SECOND)
    old.delete()
    starts("old again", OLD, at=NOON + 20 * SECOND)
    leader.run_once(now=NOON + 20 * SECOND)

    assert enabled()["nightly"] == "0 5 * * *"


def test_code_that_is_rolled_back_to_stands_again(leader: Sowing) -> None:
    old = starts("old", OLD)
    leader.run_once(now=NOON)
    old.delete()
    new = starts("new", NEW, at=NOON + MINUTE)
    leader.run_once(now=NOON + MINUTE)
    starts("old again", OLD, at=NOON + 2 * MINUTE)
    beat(new, at=NOON + 2 * MINUTE)
    leader.run_once(now=NOON + 2 * MINUTE)

    assert enabled()["nightly"] == "0 3 * * *"


def test_of_a_deploy_that_is_given_up_the_old_words_stand_again(leader: Sowing) -> None:
    old = starts("old", OLD)
    canary = starts("canary", NEW)
    leader.run_once(now=NOON)
    assert enabled()["nightly"] == "0 5 * * *"

    canary.delete()
    beat(old, at=NOON + MINUTE)
    leader.run_once(now=NOON + MINUTE)
    assert enabled() == {"legacy": "0 4 * * *", "nightly": "0 3 * * *"}


def test_two_services_of_one_database_keep_each_their_own(leader: Sowing) -> None:
    starts("shop", OLD)
    starts("billing", declared(invoices="0 1 * * *"))
    for minutes in range(3):
        beat(*Process.objects.all(), at=NOON + minutes * MINUTE)
        leader.begin_anew()
        leader.run_once(now=NOON + minutes * MINUTE)

    assert set(enabled()) == {"invoices", "legacy", "nightly"}


def test_next_to_a_process_that_does_not_say_nothing_is_abandoned(leader: Sowing) -> None:
    process_named("of an older version")
    unheard = declared(unheard="0 1 * * *")
    Schedule.objects.sow({"unheard": unheard["unheard"]})
    leader.run_once(now=NOON)
    assert "unheard" in enabled()

    leader.begin_anew()
    leader.run_once(now=NOON + MINUTE)
    assert "unheard" not in enabled()


def test_columns_that_only_newer_code_knows_are_left_to_it(leader: Sowing) -> None:
    words = declared(monthly="0 6 1 * *")
    words["monthly"] |= {"colour": "red", "starts_at": NOON.isoformat()}
    starts("new", words)
    leader.run_once(now=NOON)

    assert Schedule.objects.get(name="monthly").starts_at == NOON


def test_it_looks_with_each_heartbeat_and_writes_only_what_is_new(
    leader: Sowing, django_assert_num_queries: Any
) -> None:
    starts("old", OLD)
    leader.run_once(now=NOON)
    with django_assert_num_queries(0):
        leader.run_once(now=NOON + 4 * SECOND)
    with django_assert_num_queries(1):
        leader.run_once(now=NOON + 5 * SECOND)


def test_what_was_declared_long_ago_is_forgotten(leader: Sowing) -> None:
    starts("long gone", NEW, at=NOON - 2 * DAY).delete()
    leader.run_once(now=NOON)

    assert Timetable.objects.count() == 1
    assert set(enabled()) == {"legacy", "nightly"}
