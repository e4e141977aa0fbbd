"""The recorder: exact counts, honest durations, and of events no more than there is room for."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from forge_jobs.clock import ManualClock
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers.outcomes import Done, Outcome, Snoozed, Throttled
from forge_jobs.metrics.tally import Work
from forge_jobs.runtime.metering.recorder import (
    LONGEST_DETAIL,
    MOST_EXCEPTIONAL,
    MOST_ORDINARY,
    MOST_TIMED,
    Recorded,
    Recorder,
)
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.settlements import Finished
from forge_jobs.states import Event, State
from tests.conftest import NOON

SECOND = timedelta(seconds=1)
NOOP = Work("default", "app.noop")
ENDED = (State.SUCCEEDED, State.DEAD, State.CANCELLED)


@pytest.fixture
def recorder(manual_clock: ManualClock) -> Recorder:
    return Recorder()


def claimed(number: int = 1, **columns: Any) -> ClaimedJob:
    """Enqueued four seconds before NOON, due three seconds before."""
    return ClaimedJob(
        number, "default", columns.get("kind", "app.noop"), "{}", "{}", 0, NOON - 3 * SECOND, 1, 5,
        None, enqueued_at=NOON.timestamp() - 4, claimed_at="then",
    )  # fmt: skip


def finished(
    number: int = 1,
    state: State = State.SUCCEEDED,
    *,
    seconds: float = 1.0,
    outcome: Outcome | None = None,
    kind: str = "app.noop",
    **columns: Any,
) -> Finished:
    """A run that ended at NOON."""
    moments = {"finished_at": NOON if state in ENDED else None}
    transition = Transition(number, "then", state, 1, **moments | columns)
    return Finished(claimed(number, kind=kind), transition, outcome or Done(), seconds)


def recorded(recorder: Recorder, runs: Sequence[Finished]) -> Recorded:
    recorder.record(runs, {run.job.id for run in runs})
    return recorder.take()


def counts(taken: Recorded, work: Work = NOOP) -> dict[str, int]:
    return dict(taken.tallies[work].counts)


@pytest.mark.parametrize(
    ("state", "outcome", "column"),
    [
        (State.SUCCEEDED, None, "succeeded"),
        (State.RETRYING, None, "retried"),
        (State.DEAD, None, "dead"),
        (State.CANCELLED, None, "cancelled"),
        (State.SCHEDULED, Throttled(1), "throttled"),
        (State.SCHEDULED, Snoozed(delay=1), "snoozed"),
    ],
)
def test_every_way_in_which_a_run_ends_is_counted(
    recorder: Recorder, state: State, outcome: Outcome | None, column: str
) -> None:
    assert counts(recorded(recorder, [finished(state=state, outcome=outcome)])) == {
        "started": 1,
        column: 1,
    }


def test_what_is_given_back_did_not_start(recorder: Recorder) -> None:
    assert counts(recorded(recorder, [finished(state=State.READY)])) == {"released": 1}


def test_queues_and_kinds_are_counted_apart(recorder: Recorder) -> None:
    taken = recorded(recorder, [finished(1), finished(2, kind="app.effect"), finished(3)])

    assert counts(taken)["succeeded"] == 2
    assert counts(taken, Work("default", "app.effect"))["succeeded"] == 1


def test_a_run_whose_claim_was_lost_is_not_counted(recorder: Recorder) -> None:
    recorder.record([finished(1), finished(2)], {2})

    assert counts(recorder.take())["succeeded"] == 1


def test_durations_are_of_the_run_of_the_wait_and_of_the_whole(recorder: Recorder) -> None:
    durations = recorded(recorder, [finished(seconds=1.0)]).tallies[NOOP].durations

    assert durations["run_time"].percentile(50) == pytest.approx(1.0, rel=0.1)
    assert durations["wait"].percentile(50) == pytest.approx(2.0, rel=0.1)
    assert durations["latency"].percentile(50) == pytest.approx(4.0, rel=0.1)


def test_a_job_that_will_run_again_has_no_latency_yet(recorder: Recorder) -> None:
    durations = recorded(recorder, [finished(state=State.RETRYING)]).tallies[NOOP].durations

    assert "latency" not in durations
    assert len(durations["run_time"]) == 1


@pytest.mark.parametrize("size", [1, 15, 16, 17, 100, 999, 1_000])
def test_of_very_many_runs_only_some_are_timed_but_they_stand_for_all(
    recorder: Recorder, size: int
) -> None:
    groups = 3 * MOST_TIMED // size
    for _ in range(groups):
        runs = [finished(number, seconds=1.0) for number in range(size)]
        recorder.record(runs, set(range(size)))
    taken = recorder.take()

    assert len(taken.tallies[NOOP].durations["run_time"]) == groups * size
    assert counts(taken)["succeeded"] == groups * size
    assert taken.timed <= MOST_TIMED + 2 * 16 * groups


def test_a_run_leaves_its_start_and_its_end_as_events(recorder: Recorder) -> None:
    started, ended = recorded(recorder, [finished(seconds=1.0)]).happenings()

    assert (started.event, started.at) == (Event.STARTED, NOON - SECOND)
    assert (ended.event, ended.at, ended.seconds) == (Event.SUCCEEDED, NOON, 1.0)


def test_of_what_goes_well_only_so_many_events_are_kept(recorder: Recorder) -> None:
    taken = recorded(recorder, [finished(number) for number in range(1_000)])

    assert len(taken.happenings()) == MOST_ORDINARY
    assert taken.dropped == 0


def test_what_goes_wrong_is_kept_among_any_number_of_others(recorder: Recorder) -> None:
    runs = [finished(number) for number in range(1_000)]
    runs.append(finished(1_000, State.DEAD, last_error="no" * LONGEST_DETAIL))
    (dead,) = [one for one in recorded(recorder, runs).exceptional if one.event is Event.DEAD]

    assert (dead.job_id, len(dead.detail)) == (1_000, LONGEST_DETAIL)


def test_even_that_has_a_bound_and_what_is_left_out_is_known(recorder: Recorder) -> None:
    runs = [finished(number, State.RETRYING) for number in range(MOST_EXCEPTIONAL)]
    taken = recorded(recorder, runs)

    assert len(taken.exceptional) == MOST_EXCEPTIONAL
    assert taken.dropped == 2 * len(runs) - MOST_EXCEPTIONAL
    assert counts(taken)["retried"] == len(runs)


def test_what_could_not_be_written_is_merged_with_what_came_since(recorder: Recorder) -> None:
    recorder.record([finished(1, State.DEAD)], {1})
    taken = recorder.take()
    recorder.record([finished(2, State.DEAD), finished(3)], {2, 3})
    recorder.put_back(taken)
    again = recorder.take()

    assert counts(again) == {"started": 3, "dead": 2, "succeeded": 1}
    assert [one.job_id for one in again.exceptional if one.event is Event.DEAD] == [1, 2]


def test_an_outage_fills_no_memory(recorder: Recorder) -> None:
    for _ in range(5):
        taken = recorder.take()
        runs = [finished(number, State.DEAD) for number in range(MOST_EXCEPTIONAL)]
        recorder.record(runs, {run.job.id for run in runs})
        recorder.put_back(taken)

    assert len(recorder.take().happenings()) <= MOST_EXCEPTIONAL + MOST_ORDINARY


class TestLongRuns:
    @pytest.fixture
    def run(self) -> Run:
        run = Run(claimed(), process_name="here")
        run.began_at -= 60
        return run

    def begin(self, recorder: Recorder, run: Run) -> None:
        recorder.begin([run], now=NOON, moment=time.monotonic())

    def test_they_are_told_of_while_they_last(self, recorder: Recorder, run: Run) -> None:
        self.begin(recorder, run)
        taken = recorder.take()

        (started,) = taken.happenings()
        assert (started.event, counts(taken)) == (Event.STARTED, {"started": 1})
        assert abs(started.at - (NOON - 60 * SECOND)) < SECOND

    def test_they_start_once(self, recorder: Recorder, run: Run) -> None:
        self.begin(recorder, run)
        self.begin(recorder, run)
        recorder.record([finished()], {1})
        taken = recorder.take()

        assert counts(taken) == {"started": 1, "succeeded": 1}
        assert [one.event for one in taken.happenings()] == [Event.STARTED, Event.SUCCEEDED]

    def test_one_that_has_ended_by_then_is_not_told_of_twice(
        self, recorder: Recorder, run: Run
    ) -> None:
        run.end()
        recorder.record([finished()], {1})
        self.begin(recorder, run)

        assert counts(recorder.take())["started"] == 1

    def test_a_short_one_is_told_of_when_it_ends(self, recorder: Recorder) -> None:
        self.begin(recorder, Run(claimed(), process_name="here"))

        assert recorder.take().happenings() == []


def test_a_job_that_is_forgotten_counts_as_enqueued_unless_the_meter_has_counted_it(
    recorder: Recorder,
) -> None:
    recorder.counted_up_to = 2
    runs = [finished(number, is_forgotten=True) for number in (1, 2, 3, 4)]

    assert counts(recorded(recorder, runs))["enqueued"] == 2
