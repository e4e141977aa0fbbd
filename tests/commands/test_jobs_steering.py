"""`manage.py jobs retry`, `cancel` and `purge`: a selection, a dry run, and the deed."""

from datetime import timedelta

import pytest
from django.core.management import CommandError

from forge_jobs.clock import ManualClock
from forge_jobs.models import Job, State
from tests.commands.conftest import Jobs
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, columns, finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

MINUTE = timedelta(minutes=1)
VERBS = ["retry", "cancel", "kill", "run-now", "purge"]


def one_of_each() -> dict[str, Job]:
    """A job of every state, by the state's name."""
    stored_job()
    claim(process_named("here"))
    for state in (State.SCHEDULED, State.READY, State.BLOCKED, State.RETRYING):
        stored_job(state=state)
    for state in (State.SUCCEEDED, State.DEAD, State.CANCELLED):
        finished_job(state)
    return {job.state: job for job in Job.objects.all()}


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("retry", "1 job would be requeued."),
        ("cancel", "4 jobs would be cancelled, 1 running job would be asked to stop."),
        ("kill", "1 job would be killed, 1 of them running."),
        ("run-now", "2 jobs would run now."),
        ("purge", "1 job would be purged."),
    ],
)
def test_without_yes_nothing_is_changed(jobs: Jobs, verb: str, told: str) -> None:
    before = [columns(job) for job in one_of_each().values()]

    assert jobs(verb, "--all").out == f"{told} Add --yes to do it.\n"
    assert [columns(job) for job in Job.objects.all()] == before


@pytest.mark.parametrize(
    ("words", "told", "changed", "state"),
    [
        (["retry"], "1 job requeued.", ["dead"], "ready"),
        (
            ["retry", "--state", "dead,cancelled"],
            "2 jobs requeued.",
            ["cancelled", "dead"],
            "ready",
        ),
        (
            ["cancel"],
            "4 jobs cancelled, 1 running job asked to stop.",
            ["blocked", "ready", "retrying", "scheduled"],
            "cancelled",
        ),
        (
            ["cancel", "--state", "ready", "--state", "scheduled"],
            "2 jobs cancelled.",
            ["ready", "scheduled"],
            "cancelled",
        ),
        (["purge"], "1 job purged.", ["succeeded"], None),
        (["purge", "--state", " dead , cancelled"], "2 jobs purged.", ["cancelled", "dead"], None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_with_yes_jobs_of_the_usual_or_the_given_states_are_changed(
    jobs: Jobs, words: list[str], told: str, changed: list[str], state: str | None
) -> None:
    before = one_of_each()

    assert jobs(*words, "--all", "--yes").out == f"{told}\n"
    after = dict(Job.objects.values_list("pk", "state"))
    moved = {name: after.get(job.pk) for name, job in before.items() if after.get(job.pk) != name}
    assert moved == dict.fromkeys(changed, state)


@pytest.mark.parametrize("words", [[], ["--yes"]], ids=str)
@pytest.mark.parametrize("verb", VERBS)
def test_to_mean_all_jobs_takes_a_word(jobs: Jobs, verb: str, words: list[str]) -> None:
    one_of_each()

    with pytest.raises(CommandError, match="give ids or filters, such as --queue; or give --all"):
        jobs(verb, *words)
    assert Job.objects.unfinished().cancellable().count() == 5
    assert Job.objects.finished().count() == 3


def test_jobs_that_are_named_by_id_may_be_in_any_state_that_the_verb_is_for(jobs: Jobs) -> None:
    before = one_of_each()
    ids = [str(before[name].pk) for name in ("succeeded", "cancelled", "ready")]
    said = jobs("retry", ids[0], "--yes", *ids[1:], "999999999")

    assert said.out == "2 jobs requeued.\n"
    assert said.err == f"Left out: #{ids[2]} (ready), #999999999 (no such job).\n"


def test_of_ids_a_state_that_is_given_leaves_out_others(jobs: Jobs) -> None:
    before = one_of_each()
    ids = [str(before[name].pk) for name in ("succeeded", "dead")]

    said = jobs("purge", *ids, "--state", "dead")
    assert said.out == "1 job would be purged. Add --yes to do it.\n"
    assert said.err == f"Left out: #{ids[0]} (succeeded).\n"


def test_the_filters_narrow_together(jobs: Jobs, manual_clock: ManualClock) -> None:
    for queue in ("default", "other"):
        for kind in ("app.noop", "app.fail"):
            for minutes in (1, 9):
                finished_job(
                    queue=queue,
                    kind=kind,
                    last_error=f"gave up on {kind}",
                    finished_at=NOON - minutes * MINUTE,
                )
    manual_clock.advance(MINUTE)

    def told(*words: str) -> str:
        return jobs("retry", *words).out.partition(" ")[0]

    assert told("--queue", "other") == "4"
    assert told("--queue", "other", "--kind", "app.noop") == "2"
    assert told("--queue", "other", "--kind", "app.*") == "4"
    assert told("--queue", "other", "--older-than", "10m") == "0"
    assert told("--queue", "other", "--older-than", "9m") == "2"
    assert told("--queue", "other", "--newer-than", "180") == "2"
    assert told("--error", "gave up on app.fail", "--newer-than", "0.5h") == "4"
    assert told("--error", "Gave up") == "0"


def test_a_filter_of_nothing_is_a_filter_all_the_same(jobs: Jobs) -> None:
    finished_job(State.SUCCEEDED)

    assert jobs("purge", "--newer-than", "0", "--yes").out == "0 jobs purged.\n"


def test_waiting_jobs_are_as_old_as_their_enqueue(jobs: Jobs) -> None:
    stored_job(enqueued_at=NOON - timedelta(days=2))
    stored_job(enqueued_at=NOON)

    assert jobs("cancel", "--older-than", "1d", "--yes").out == "1 job cancelled.\n"


def test_a_retry_says_what_it_passed_over(jobs: Jobs) -> None:
    finished_job(dedupe_key="one")
    stored_job(dedupe_key="one")

    told = "0 jobs requeued, 1 passed over because an unfinished job has its dedupe key.\n"
    assert jobs("retry", "--all", "--yes").out == told


@pytest.mark.parametrize(
    ("words", "reason"),
    [([], "cancelled by an operator"), (["--reason", "wrong data"], "wrong data")],
    ids=str,
)
def test_a_cancel_has_a_reason(jobs: Jobs, words: list[str], reason: str) -> None:
    stored_job()
    jobs("cancel", "--all", "--yes", *words)

    assert Job.objects.get().cancel_reason == reason


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["retry", "--state", "running"], "--state: 'running' is none of succeeded, dead, cancel"),
        (
            ["cancel", "--state", "dead"],
            "--state: 'dead' is none of scheduled, ready, blocked",
        ),
        (["purge", "--state", "succeeded,"], "--state: '' is none of succeeded, dead, cancelled"),
        (["purge", "seven"], "ID: 'seven' is no job's id"),
        (["purge", "0"], "ID: '0' is no job's id"),
        (["purge", str(2**63)], "ID: '9223372036854775808' is no job's id"),
        (["purge", "--older-than", "7w"], "--older-than: '7w' is no duration; write 30s, 15m"),
        (["purge", "--newer-than", "-5"], "--newer-than: '-5' is no duration"),
        (["purge", "--older-than", "9" * 400 + "d"], "--older-than: .* is too long"),
        (["purge", "--queue", ""], "--queue: is empty; leave it out"),
        (["purge", "--kind", ""], "--kind: is empty; leave it out"),
        (["purge", "--error", ""], "--error: is empty; leave it out"),
        (["purge", "--kind", "*"], "--kind: \\* would be every kind"),
        (["purge", "--error", "\0"], "--error: is no valid text"),
        (["cancel", "--all", "--reason", ""], "--reason: is empty"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_bad_word_is_refused_by_name(jobs: Jobs, words: list[str], message: str) -> None:
    finished_job(State.SUCCEEDED)

    with pytest.raises(CommandError, match=message):
        jobs(*words, "--yes")
    assert Job.objects.count() == 1


def test_a_kill_ends_what_runs_and_says_who_did_it_and_why(jobs: Jobs) -> None:
    running = one_of_each()[State.RUNNING]

    assert jobs("kill", "--all", "--reason", "runaway", "--yes").out == "1 job killed.\n"
    running.refresh_from_db()
    assert (running.is_to_be_killed, running.cancel_reason) == (True, "runaway")


def test_a_kill_of_what_waits_cancels_it_when_it_is_named(jobs: Jobs) -> None:
    ready = one_of_each()[State.READY]

    jobs("kill", str(ready.pk), "--yes")
    ready.refresh_from_db()
    assert (ready.state, ready.cancel_reason) == (State.CANCELLED, "killed by an operator")


def test_what_waits_for_its_time_runs_now(jobs: Jobs) -> None:
    scheduled = one_of_each()[State.SCHEDULED]

    assert jobs("run-now", "--state", "scheduled", "--yes").out == "1 job made ready.\n"
    scheduled.refresh_from_db()
    assert scheduled.state == State.READY
