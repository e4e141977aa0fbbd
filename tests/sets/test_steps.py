"""`ctx.step`: what has been stored is not done again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from forge_jobs import Dead, Failed, JobContext, Snoozed, job
from forge_jobs.backoff import Fixed
from forge_jobs.db.rows import ClaimedJob, StepRow
from forge_jobs.exceptions import InvalidStep
from forge_jobs.models import Job, JobStep, Role, State
from forge_jobs.services.pruner import Pruner
from forge_jobs.sets.refusals import refuse_unsuited
from forge_jobs.testing import drain, run
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, finished_job, stored_job

pytestmark = pytest.mark.django_db

AT_ONCE = Fixed(delay=timedelta(0))


class Till:
    """Counts what was charged; the card is refused so many times."""

    def __init__(self, *, refusals: int = 0) -> None:
        self.refusals = refusals
        self.charged: list[int] = []

    def charge(self, *, order: int) -> dict[str, Any]:
        self.charged.append(order)
        return {"order": order, "parts": (1, 2)}

    def ship(self) -> str:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("no carrier")
        return "shipped"


def bill(till: Till, **options: Any) -> Any:
    @job(kind="tests.bill", takes_context=True, retry=AT_ONCE, **options)
    def handler(ctx: JobContext) -> list[Any]:
        return [ctx.step("charge", till.charge, order=7), ctx.step("ship", till.ship)]

    return handler


def test_a_later_attempt_goes_on_after_the_last_stored_step() -> None:
    till = Till(refusals=2)
    stored = bill(till).enqueue()

    assert len(drain()) == 3

    stored.refresh_from_db()
    assert (stored.state, stored.attempt, till.charged) == (State.SUCCEEDED, 3, [7])
    assert stored.result == [{"order": 7, "parts": [1, 2]}, "shipped"]


def test_a_step_gives_what_json_gives_back_from_the_first_time_on() -> None:
    till = Till()

    outcome: Any = run(bill(till))

    assert outcome.result[0] == {"order": 7, "parts": [1, 2]}


def test_what_a_step_calls_may_name_its_arguments_as_a_step_does() -> None:
    def named(*, name: str, function: str) -> str:
        return f"{name} {function}"

    async def anamed(*, name: str, function: str) -> str:
        return named(name=name, function=function)

    @job(kind="tests.names", takes_context=True)
    def names(ctx: JobContext) -> list[str]:
        return [
            ctx.step("one", named, name="Ada", function="sums"),
            ctx.atomic_step("two", named, name="Bob", function="asks"),
        ]

    @job(kind="tests.anames", takes_context=True)
    async def anames(ctx: JobContext) -> str:
        return await ctx.astep("one", anamed, name="Ada", function="sums")

    outcomes: list[Any] = [run(names), run(anames)]
    assert [outcome.result for outcome in outcomes] == [["Ada sums", "Bob asks"], "Ada sums"]


@pytest.mark.parametrize(
    ("state", "charges"), [(State.SUCCEEDED, 2), (State.DEAD, 1), (State.CANCELLED, 1)]
)
def test_requeueing_a_success_begins_anew_and_anything_else_goes_on(
    state: State, charges: int
) -> None:
    till = Till(refusals=1)
    stored = bill(till, max_attempts=1).enqueue()
    drain()
    Job.objects.filter(pk=stored.pk).update(state=state)

    stored.requeue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, till.charged) == (State.SUCCEEDED, [7] * charges)


def test_a_job_that_snoozes_goes_on_after_its_steps() -> None:
    calls: list[str] = []

    @job(kind="tests.order", takes_context=True)
    def order(ctx: JobContext) -> None:
        ctx.step("place", calls.append, "placed")
        calls.append("looked")
        if len(calls) < 4:
            raise Snoozed(delay=0)

    order.enqueue()
    drain()

    assert calls == ["placed", "looked", "looked", "looked"]


def test_a_name_is_refused_twice_in_one_run_before_anything_is_done() -> None:
    till = Till()

    @job(kind="tests.bill", takes_context=True)
    def handler(ctx: JobContext) -> None:
        for order in (1, 2):
            ctx.step("charge", till.charge, order=order)

    outcome = run(handler)

    assert isinstance(outcome, Failed)
    assert "step 'charge' is there twice in one run" in outcome.message
    assert till.charged == [1]


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", "\ud800", 7, None])
def test_what_is_no_name_is_refused_with_what_to_do(name: Any) -> None:
    @job(kind="tests.bill", takes_context=True)
    def handler(ctx: JobContext) -> None:
        with pytest.raises(InvalidStep, match="must be a string of 1 to 200") as refused:
            ctx.step(name, pytest.fail)
        assert refused.value.field == "name"

    assert run(handler).__class__.__name__ == "Done"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (object(), "the value of step 'odd' is not JSON"),
        ("x" * 2_000_000, "the value of step 'odd' would make it 2,000,002 bytes, more than"),
    ],
)
def test_what_a_step_gave_and_nobody_can_keep_is_not_tried_again(given: Any, told: str) -> None:
    @job(kind="tests.odd", takes_context=True)
    def handler(ctx: JobContext) -> None:
        ctx.step("odd", lambda: given)

    outcome = run(handler)

    assert isinstance(outcome, Dead)
    assert told in outcome.message
    assert "The step has run" in outcome.message


def test_all_values_of_a_job_together_are_bounded(settings: Any) -> None:
    settings.FORGE_JOBS = {"MAX_PAYLOAD_BYTES": 100}

    @job(kind="tests.much", takes_context=True)
    def handler(ctx: JobContext) -> None:
        for number in range(9):
            ctx.step(f"part {number}", "x".ljust, 98)

    outcome = run(handler)

    assert isinstance(outcome, Dead)
    assert "'part 8' would make it 900 bytes, more than the 800" in outcome.message


def test_the_number_of_steps_is_bounded_and_says_so_before_one_is_run() -> None:
    calls: list[int] = []

    @job(kind="tests.many", takes_context=True)
    def handler(ctx: JobContext) -> None:
        for number in range(1_001):
            ctx.step(str(number), calls.append, number)

    outcome = run(handler)

    assert isinstance(outcome, Failed)
    assert "one more than the 1,000" in outcome.message
    assert len(calls) == 1_000


def test_steps_are_refused_in_an_atomic_handler_and_in_a_resident_one() -> None:
    @job(kind="tests.whole", takes_context=True, atomic=True)
    def whole(ctx: JobContext) -> None:
        ctx.step("a", pytest.fail)

    @job(kind="tests.resident", resident=True)
    def resident() -> None: ...

    assert "is atomic" in str(run(whole))
    with pytest.raises(InvalidStep, match="which is resident: done once"):
        refuse_unsuited("tests.resident", "a step")


def test_an_async_function_is_pointed_to_astep() -> None:
    async def fetch() -> None: ...

    @job(kind="tests.fetch", takes_context=True)
    def handler(ctx: JobContext) -> None:
        ctx.step("fetch", fetch)  # type: ignore[unused-coroutine] # wrong, to be refused

    assert "write await ctx.astep(...)" in str(run(handler))


def test_a_name_that_was_a_cursor_is_no_step() -> None:
    process = process_named("here")
    stored_job(kind="tests.mixed")
    (claimed,) = claim(process, kinds=["tests.mixed"])
    JobStep.objects.store(StepRow("rows", Role.CURSOR, "{}"), job=claimed, process=process.pk)
    Job.objects.running().release(now=NOON)

    @job(kind="tests.mixed", takes_context=True, max_attempts=1)
    def handler(ctx: JobContext) -> None:
        ctx.step("rows", pytest.fail)

    (ran,) = drain()

    assert "was a cursor when it was stored" in str(ran.outcome)


@pytest.mark.parametrize(
    "lose",
    [
        lambda claimed: Job.objects.filter(pk=claimed.id).update(started_at=NOON),
        lambda claimed: Job.objects.running().release(now=NOON),
        lambda claimed: Job.objects.filter(pk=claimed.id).delete(),
    ],
)
def test_nothing_is_stored_without_the_claim(lose: Callable[[ClaimedJob], Any]) -> None:
    process = process_named("here")
    stored_job()
    (claimed,) = claim(process, now=NOON + timedelta(minutes=1))
    row = StepRow("charge", Role.STEP, "1")
    assert JobStep.objects.store(row, job=claimed, process=process.pk)
    assert not JobStep.objects.store(row, job=claimed, process=process.pk + 1)
    lose(claimed)

    assert not JobStep.objects.store(row._replace(value="2"), job=claimed, process=process.pk)
    assert [kept.value for kept in JobStep.objects.of(claimed.id)] == ["1"]


@pytest.mark.parametrize("value", ["null", "0", '""', "[]", '{"a": 1.5}', '"ü"', "1.0"])
def test_any_json_value_is_kept(value: str) -> None:
    process = process_named("here")
    stored_job()
    (claimed,) = claim(process)

    JobStep.objects.store(StepRow("a", Role.STEP, value), job=claimed, process=process.pk)

    assert JobStep.objects.of(claimed.id) == [StepRow("a", "step", value)]


def test_what_was_stored_for_jobs_that_are_gone_goes_too_in_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("forge_jobs.services.pruner.LARGEST_PASS", 3)
    kept = finished_job(finished_at=NOON)
    steps = [
        JobStep(job_id=pk, name=str(n), role=Role.STEP, value=n, at=NOON, claimed_at=NOON)
        for n, pk in enumerate([kept.pk, kept.pk + 1] * 4)
    ]
    JobStep.objects.bulk_create(steps)
    pruner = Pruner()

    pruner.run_once(now=NOON)
    assert JobStep.objects.count() == 7
    assert pruner.rest(now=NOON) == timedelta(0)
    while not pruner.rest(now=NOON):
        pruner.run_once(now=NOON)

    assert set(JobStep.objects.values_list("job_id", flat=True)) == {kept.pk}
    assert JobStep.objects.count() == 4
