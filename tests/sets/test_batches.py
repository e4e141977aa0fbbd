"""A batch is a set of jobs that ends as one, whoever fills it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from forge_jobs import (
    JobContext,
    JobHandler,
    NewJob,
    batch,
    clock,
    enqueue_many,
    job,
    open_batch,
)
from forge_jobs.enqueueing import placing
from forge_jobs.exceptions import InvalidOption
from forge_jobs.models import Batch, BatchState, Job, State
from forge_jobs.services.gatekeeper import EXPIRED, Gatekeeper
from forge_jobs.testing import drain, frozen_at
from tests.conftest import NOON
from tests.sets.conftest import mend, state_of

pytestmark = pytest.mark.django_db


def fresh(subject: Batch) -> Batch:
    subject.refresh_from_db()
    return subject


def callbacks(write: JobHandler) -> dict[str, Any]:
    return {name: write.new(name=name) for name in ("on_success", "on_failure", "on_end")}


def test_what_comes_after_its_success_runs_once_all_have_succeeded(
    write: JobHandler, log: list[str]
) -> None:
    with batch("three", **callbacks(write)) as b:
        write.using(batch=b).enqueue_many([{"name": str(number)} for number in range(3)])
    assert fresh(b).state == BatchState.SEALED
    drain()

    assert sorted(log[:3]) == ["0", "1", "2"]
    assert sorted(log[3:]) == ["on_end", "on_success"]
    assert fresh(b).state == BatchState.SUCCEEDED
    assert b.counts == {"succeeded": 3}
    assert b.sealed_at
    assert b.ended_at


def test_what_comes_after_its_failure_runs_once_all_have_ended(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    with batch("three", **callbacks(write)) as b:
        fall.using(batch=b).enqueue()
        write.using(batch=b).enqueue(name="one")
    drain()

    assert log[0] == "one"
    assert sorted(log[1:]) == ["on_end", "on_failure"]
    assert fresh(b).state == BatchState.FAILED
    assert b.counts == {"succeeded": 1, "dead": 1}


def test_a_batch_that_was_mended_succeeds_and_tells_so_once(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    with batch("one", **callbacks(write)) as b:
        failing = fall.using(batch=b).enqueue()
    drain()
    log.clear()
    mend(failing)
    assert fresh(b).state == BatchState.SEALED
    drain()

    assert fresh(b).state == BatchState.SUCCEEDED
    assert log == ["on_success"]
    failing.requeue()
    drain()
    assert log == ["on_success"]
    assert fresh(b).state == BatchState.SUCCEEDED


def test_an_open_batch_does_not_end_though_nothing_of_it_is_left(write: JobHandler) -> None:
    b = open_batch("by several")
    write.using(batch=b).enqueue(name="one")
    drain()
    assert fresh(b).state == BatchState.OPEN

    write.using(batch=b.pk).enqueue(name="two")
    assert b.seal()
    assert not b.seal()
    drain()
    assert fresh(b).state == BatchState.SUCCEEDED


def test_an_empty_batch_ends_when_it_is_sealed(write: JobHandler, log: list[str]) -> None:
    with batch("nothing", on_success=write.new(name="done")) as b:
        pass
    drain()

    assert fresh(b).state == BatchState.SUCCEEDED
    assert b.counts == {}
    assert log == ["done"]


def test_its_own_jobs_may_add_others_and_nobody_else_once_it_is_sealed(
    write: JobHandler, log: list[str]
) -> None:
    @job(kind="tests.spread", takes_context=True)
    def spread(ctx: JobContext) -> None:
        assert ctx.batch
        write.using(batch=ctx.batch).enqueue(name="added")

    with batch("grows", on_success=write.new(name="done")) as b:
        spread.using(batch=b).enqueue()
    with pytest.raises(InvalidOption, match="is sealed: only its own jobs may add") as refusal:
        write.using(batch=b).enqueue(name="late")
    assert refusal.value.field == "batch"
    drain()

    assert log == ["added", "done"]
    with pytest.raises(InvalidOption, match="is succeeded"):
        write.using(batch=b).enqueue(name="late")


def test_a_batch_within_another_ends_before_it(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    with batch("whole", **callbacks(write)) as whole:
        with batch("part", within=whole) as part:
            failing = fall.using(batch=part).enqueue()
        write.using(batch=whole).enqueue(name="own")
    drain()

    assert fresh(part).state == fresh(whole).state == BatchState.FAILED
    mend(failing)
    assert fresh(whole).state == BatchState.SEALED
    drain()
    assert fresh(part).state == fresh(whole).state == BatchState.SUCCEEDED
    assert log[-1] == "on_success"


def fill_and_fall(write: JobHandler) -> None:
    with batch("torn", on_failure=write.new(name="on_failure")) as b:
        write.using(batch=b).enqueue(name="one")
        raise ZeroDivisionError


def test_a_block_that_raises_cancels_what_it_has_filled(write: JobHandler, log: list[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        fill_and_fall(write)
    drain()

    assert log == ["on_failure"]
    one = Job.objects.get(state=State.CANCELLED)
    assert one.cancel_reason == "What filled the batch raised ZeroDivisionError."


def test_of_a_transaction_that_is_undone_nothing_is_left(write: JobHandler) -> None:
    with pytest.raises(ZeroDivisionError):
        transaction.atomic(fill_and_fall)(write)

    assert not Batch.objects.exists()
    assert not Job.objects.exists()


def test_cancelling_it_seals_it_and_cancels_all_that_has_not_ended(
    write: JobHandler, log: list[str]
) -> None:
    b = open_batch("never", on_failure=write.new(name="failed"))
    part = open_batch("part", within=b)
    part.seal()
    one = write.using(batch=b).enqueue(name="one")

    assert b.cancel("no more", by="Ada") == 1
    drain()

    assert state_of(one) == State.CANCELLED
    assert fresh(b).state == BatchState.FAILED
    assert log == ["failed"]


def test_cancelling_it_seals_its_parts_so_that_nobody_fills_them_any_more(
    write: JobHandler,
) -> None:
    outer = open_batch("outer")
    inner = open_batch("inner", within=outer)
    waiting = write.using(batch=inner).enqueue(name="one")
    assert outer.cancel() == 1

    assert state_of(waiting) == State.CANCELLED
    with pytest.raises(InvalidOption, match="is sealed"):
        write.using(batch=inner).enqueue(name="another")


def test_cancelling_it_seals_a_part_that_is_opened_while_it_does(
    write: JobHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = open_batch("outer")
    inner = open_batch("inner", within=outer)
    late: list[Job] = []
    seal = Batch.seal

    def seal_after_one_more(self: Batch, **options: Any) -> bool:
        if self == inner:
            late.append(write.using(batch=open_batch("late", within=inner)).enqueue(name="late"))
        return seal(self, **options)

    monkeypatch.setattr(Batch, "seal", seal_after_one_more)
    outer.cancel()

    assert [state_of(one) for one in late] == [State.CANCELLED]
    assert not Batch.objects.filter(state=BatchState.OPEN).exists()


@pytest.mark.parametrize("act", [Batch.seal, Batch.cancel])
def test_of_one_that_is_gone_it_is_said_which_it_was(act: Callable[[Batch], object]) -> None:
    b = open_batch("import")
    Batch.objects.all().delete()

    with pytest.raises(Batch.DoesNotExist, match=rf"^Batch import #{b.pk} is gone: it was deleted"):
        act(b)


def test_cancelling_it_passes_over_a_part_that_is_deleted_meanwhile(
    write: JobHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = open_batch("outer")
    inner = open_batch("inner", within=outer)
    one = write.using(batch=outer).enqueue(name="one")
    seal = Batch.seal

    def seal_too_late(self: Batch, **options: Any) -> bool:
        if self == inner:
            Batch.objects.filter(pk=inner.pk).delete()
        return seal(self, **options)

    monkeypatch.setattr(Batch, "seal", seal_too_late)

    assert outer.cancel() == 1
    assert state_of(one) == State.CANCELLED


def test_requeueing_it_runs_what_failed_and_then_what_was_given_up(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    with batch("whole") as b:
        failing = fall.using(batch=b).enqueue()
        write.using(batch=b, after=failing).enqueue(name="after")
    drain()
    assert fresh(b).state == BatchState.FAILED
    Job.objects.filter(pk=failing.pk).update(context={"is_mended": True})

    assert b.requeue() == 1
    drain()

    assert log == ["after"]
    assert fresh(b).state == BatchState.SUCCEEDED


def test_one_that_nobody_seals_is_cancelled_in_the_end(write: JobHandler) -> None:
    with frozen_at(NOON) as moment:
        b = open_batch("forgotten", expires_in=timedelta(hours=1))
        one = write.using(batch=b, delay=timedelta(days=1)).enqueue(name="one")
        moment.advance(hours=2)
        Gatekeeper().run_once(now=clock.now())

    assert state_of(one) == State.CANCELLED
    assert one.cancel_reason == EXPIRED


def test_jobs_may_come_after_it_and_are_told_its_counts(write: JobHandler, log: list[str]) -> None:
    seen: list[Any] = []

    @job(kind="tests.collect", takes_context=True)
    def collect(ctx: JobContext) -> None:
        seen.extend(ctx.results)

    single = write.enqueue(name="single")
    with batch("two") as b:
        write.using(batch=b).enqueue_many([{"name": "a"}, {"name": "b"}])
    collect.using(after=[single, b]).enqueue()
    drain()

    assert seen == ["SINGLE", {"succeeded": 2}]


def circles(write: JobHandler) -> Iterator[Any]:
    """Ways to let a batch wait for what waits for it."""
    yield lambda b, inner, follower, chained: write.using(batch=b, after=b)
    yield lambda b, inner, follower, chained: write.using(batch=inner, after_end=b)
    yield lambda b, inner, follower, chained: write.using(batch=b, after=follower)
    yield lambda b, inner, follower, chained: write.using(batch=b, after=chained)
    yield lambda b, inner, follower, chained: write.using(batch=inner, after=[chained])


def test_no_circle_can_be_made(write: JobHandler) -> None:
    b = open_batch("whole")
    inner = open_batch("part", within=b)
    follower = write.using(after=b).enqueue(name="follower")
    other = open_batch("other")
    write.using(batch=other, after=follower).enqueue(name="member")
    chained = write.using(after=other).enqueue(name="chained")
    before = Job.objects.count()

    for circle in circles(write):
        with pytest.raises(InvalidOption) as refusal:
            circle(b, inner, follower, chained).enqueue(name="x")
        assert refusal.value.field == "after"
    assert Job.objects.count() == before
    write.using(batch=other, after=[follower, b]).enqueue(name="fine")


def test_no_circle_can_be_made_in_one_call(write: JobHandler) -> None:
    one, two, three = (open_batch(name) for name in ("one", "two", "three"))
    between = write.using(after=two).enqueue(name="between")
    before = Job.objects.count()

    with pytest.raises(InvalidOption) as refusal:
        enqueue_many(
            [
                NewJob(write, {"name": "x"}, batch=one, after=three),
                NewJob(write, {"name": "y"}, batch=two, after_end=one),
                NewJob(write, {"name": "z"}, batch=three, after=between),
            ]
        )

    assert refusal.value.field == "after"
    assert Job.objects.count() == before


def test_a_circle_that_two_transactions_close_together_is_broken(
    write: JobHandler, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = open_batch("one"), open_batch("two")
    with monkeypatch.context() as unseen:
        unseen.setattr(placing, "_refuse_circles", lambda places: None)
        first = write.using(batch=one, after=two).enqueue(name="first")
        second = write.using(batch=two, after_end=one).enqueue(name="second")
    write.using(after_end=two).enqueue(name="third")
    one.seal()
    two.seal()
    drain()

    assert state_of(first) == State.CANCELLED
    assert first.cancel_reason == (
        f"What it comes after waits for its batch one #{one.pk}, and so for itself."
    )
    assert state_of(second) == State.SUCCEEDED
    assert log == ["second", "third"]
    assert (fresh(one).state, fresh(two).state) == (BatchState.FAILED, BatchState.SUCCEEDED)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("name", {"name": ""}),
        ("name", {"name": 5}),
        ("name", {"name": "x" * 201}),
        ("name", {"name": "\0"}),
        ("on_success", {"on_success": "job"}),
        ("on_end", {"on_end": [None]}),
        ("within", {"within": 5}),
        ("expires_in", {"expires_in": "soon"}),
    ],
)
def test_what_makes_no_batch_is_refused(field: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption) as refusal:
        open_batch(**{"name": "fine", **options})

    assert refusal.value.field == field
    assert not Batch.objects.exists()


@pytest.mark.parametrize("given", ["1", True, 1.5, 999_999, Batch(name="not stored")])
def test_what_is_no_batch_takes_no_job(write: JobHandler, given: Any) -> None:
    with pytest.raises(InvalidOption) as refusal:
        write.using(batch=given).enqueue(name="x")

    assert refusal.value.field == "batch"


def test_its_jobs_are_kept_until_it_has_ended(write: JobHandler) -> None:
    b = open_batch("open")
    write.using(batch=b).enqueue(name="one")
    drain()
    assert Job.objects.all().purge() == 0

    b.seal()
    drain()
    assert Job.objects.all().purge() == 1
