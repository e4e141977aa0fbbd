"""`manage.py jobs schedule`: schedules by hand."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError

from forge_jobs.conf.policies import Source
from forge_jobs.models import Job, Schedule
from tests.commands.conftest import Jobs
from tests.conftest import NOON
from tests.planned import MINUTE, planned_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]


def stored() -> Schedule:
    row: Schedule = Schedule.objects.get()
    return row


def test_a_schedule_is_added(jobs: Jobs) -> None:
    said = jobs(
        *["schedule", "add", "five", "app.effect", "*/5 * * * *", '{"number": 1}'],
        *["--timezone", "Europe/Berlin", "--queue", "other", "--priority", "7"],
        *["--overlap", "replace", "--catch-up", "all", "--jitter", "1m", "--max-attempts", "2"],
        *["--starts-at", "2026-03-03T00:00:00Z", "--ends-at", "2026-04-03T00:00:00Z"],
    )

    row = stored()
    assert (row.name, row.kind, row.expression) == ("five", "app.effect", "*/5 * * * *")
    assert (row.payload, row.timezone, row.queue) == ({"number": 1}, "Europe/Berlin", "other")
    assert (row.priority, row.overlap, row.catch_up) == (7, "replace", "all")
    assert (row.jitter_seconds, row.max_attempts) == (60, 2)
    assert row.starts_at
    assert row.ends_at
    assert (row.is_enabled, row.source, row.next_fire_at) == (True, Source.OPERATOR, None)
    assert "Every 5 minutes" in said.out


def test_a_schedule_may_be_added_disabled_and_with_an_interval(jobs: Jobs) -> None:
    jobs("schedule", "add", "--disabled", "often", "app.noop", "@every 30s")

    assert (stored().is_enabled, stored().expression) == (False, "@every 30s")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a", "app.noop", "61 * * * *"], "expression: .*minute: '61' can't be"),
        (["a", "app.no_such_kind", "* * * * *"], "kind: .*app.no_such_kind"),
        (["a", "app.noop", "* * * * *", '{"b": 1}'], "payload: .*'b' is unexpected"),
        (["a", "app.noop", "* * * * *", "[1]"], "payload: .*object"),
        (["a", "app.noop", "* * * * *", "--timezone", "Nowhere"], "timezone: .*Nowhere"),
        (["a", "app.noop", "* * * * *", "--queue", "nowhere"], "queue: .*none of default"),
        (["a", "app.noop", "* * * * *", "--priority", "500"], "priority: .*100"),
        (["a", "app.noop", "* * * * *", "--max-attempts", "0"], "max_attempts: .*1"),
        (["x" * 201, "app.noop", "* * * * *"], "name: .*200"),
        (["a", "app.noop", "* * * * *", "--overlap", "run"], "overlap.*invalid choice"),
        (["a", "app.noop", "* * * * *", "--jitter", "soon"], "jitter.*no duration"),
        (["a", "app.noop", "* * * * *", "--starts-at", "2026-03-03"], "starts-at.*offset"),
    ],
)
def test_bad_input_is_refused_by_its_name(jobs: Jobs, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        jobs("schedule", "add", *arguments)
    assert not Schedule.objects.exists()


def test_a_name_that_is_taken_is_refused(jobs: Jobs) -> None:
    planned_schedule(name="a")

    with pytest.raises(CommandError, match=r"name: .*already exists"):
        jobs("schedule", "add", "a", "app.noop", "* * * * *")


def test_all_schedules_are_listed(jobs: Jobs) -> None:
    planned_schedule(
        expression="*/7 3 * * 1-5",
        timezone="Europe/Berlin",
        last_fired_at=NOON - timedelta(hours=2),
        skipped=3,
        last_skipped_at=NOON - MINUTE,
        last_error="no\x1b[2J",
    )
    planned_schedule(name="nonsense", expression="whatever", is_enabled=False, next_fire_at=None)

    assert jobs("schedule", "list").out == LISTED


LISTED = """\
every minute
  kind   app.noop
  when   */7 3 * * 1-5 (Europe/Berlin)
  means  Every 7 minutes, between 03:00 and 03:59, Monday through Friday
  state  enabled
  next   2026-03-02 12:01:00 UTC, in 1 min 0 s
  last   2026-03-02 10:00:00 UTC, 2 h 0 min ago
  skips  3, 2026-03-02 11:59:00 UTC, 1 min 0 s ago
  error  no\\x1b[2J
  from   operator

nonsense
  kind   app.noop
  when   whatever (UTC)
  means  nothing that can be read
  state  disabled
  from   operator
"""


def test_a_list_of_none_says_so(jobs: Jobs) -> None:
    assert jobs("schedule", "list").out == "There are no schedules.\n"
    assert json.loads(jobs("schedule", "list", "--json").out) == []


def test_schedules_are_listed_as_json(jobs: Jobs) -> None:
    planned_schedule(payload={"a": 1})

    (listed,) = json.loads(jobs("schedule", "list", "--json").out)
    assert (listed["name"], listed["payload"]) == ("every minute", {"a": 1})
    assert (listed["meaning"], listed["timezone"]) == ("Every minute", "UTC")
    assert listed["next_fire_at"] == (NOON + MINUTE).isoformat()
    assert listed["last_fired_at"] is None


def test_schedules_are_switched_off_and_on(jobs: Jobs) -> None:
    planned_schedule(name="a")
    planned_schedule(name="b", is_enabled=False)

    said = jobs("schedule", "disable", "a", "b").out
    assert said == "a is disabled.\nb was already disabled.\n"
    assert not Schedule.objects.filter(is_enabled=True).exists()
    said = jobs("schedule", "enable", "a").out
    assert said == "a is enabled.\n"
    assert Schedule.objects.get(is_enabled=True).name == "a"


@pytest.mark.parametrize("verb", ["enable", "disable", "remove", "trigger"])
def test_a_name_that_nothing_has_is_refused_before_anything_is_done(jobs: Jobs, verb: str) -> None:
    planned_schedule(name="a")

    names = ["nobody"] if verb == "trigger" else ["a", "nobody"]
    with pytest.raises(CommandError, match=r"no schedule 'nobody'\. There are: a"):
        jobs("schedule", verb, *names)
    assert Schedule.objects.get().is_enabled


def test_a_trigger_prints_the_id_of_the_job_it_made(jobs: Jobs) -> None:
    planned_schedule()
    said = jobs("schedule", "trigger", "every minute").out

    made = Job.objects.get()
    assert said == f"{made.pk}\n"
    assert made.context["origin"] == "trigger"
    assert stored().next_fire_at == NOON + MINUTE


def test_a_trigger_that_makes_none_says_why(jobs: Jobs) -> None:
    planned_schedule()
    jobs("schedule", "trigger", "every minute")
    with pytest.raises(CommandError, match="unfinished"):
        jobs("schedule", "trigger", "every minute")

    planned_schedule(name="bad", queue="nowhere")
    with pytest.raises(CommandError, match="nowhere"):
        jobs("schedule", "trigger", "bad")


def test_a_removed_schedule_leaves_its_jobs(jobs: Jobs) -> None:
    planned_schedule()
    jobs("schedule", "trigger", "every minute")

    assert jobs("schedule", "remove", "every minute").out == "every minute is removed.\n"
    assert (Schedule.objects.count(), Job.objects.count()) == (0, 1)


def test_what_code_declares_can_not_be_removed_by_hand(jobs: Jobs) -> None:
    planned_schedule(source=Source.CODE, seed={"kind": "app.noop"})
    with pytest.raises(CommandError, match="declared in code"):
        jobs("schedule", "remove", "every minute")

    Schedule.objects.abandon(declared=[])
    jobs("schedule", "remove", "every minute")
    assert not Schedule.objects.exists()
