"""Jobs that one call gets together: who is called with whom, and what becomes of each."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any, TypedDict

import pytest

from forge_jobs import Cancelled, Chunk, Dead, Done, Failed, Outcome, Snoozed, Throttled, chunk_job
from forge_jobs.backoff import Fixed
from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job, Queue, State
from tests.app.jobs import perilous
from tests.running import Runjobs, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)

Call = list[Any]

LONG_ENOUGH = 0.25
"""Seconds for the jobs of one claim to get together, however busy the machine is."""


class Number(TypedDict):
    number: int


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    with registry.isolated():
        yield


def chunked(
    answer: Callable[[Chunk[Number]], Outcome | None],
    *,
    size: int = 4,
    wait: float = LONG_ENOUGH,
    **options: Any,
) -> tuple[ChunkHandler[Number], list[Call]]:
    """A handler that does as `answer` says, and the numbers of each of its calls."""
    calls: list[Call] = []

    @chunk_job(
        kind="tests.chunked", size=size, wait=wait, retry=Fixed(delay=timedelta(0)), **options
    )
    def handler(chunk: Chunk[Number]) -> Outcome | None:
        calls.append([item.payload["number"] for item in chunk])
        return answer(chunk)

    return handler, calls


def enqueued(handler: ChunkHandler[Number], count: int) -> dict[int, int]:
    """The ids by the numbers."""
    handler.enqueue_many({"number": number} for number in range(count))
    return {payload["number"]: pk for pk, payload in Job.objects.values_list("pk", "payload")}


def told() -> list[tuple[int, str, int]]:
    """Number, state and attempts of each job."""
    jobs = Job.objects.order_by("pk").values_list("payload", "state", "attempt")
    return [(payload["number"], state, attempt) for payload, state, attempt in jobs]


def test_a_call_gets_as_many_as_fit_and_the_rest_when_it_has_waited() -> None:
    def doubled(chunk: Chunk[Number]) -> None:
        for item in chunk:
            item.done(2 * item.payload["number"])

    handler, calls = chunked(doubled)
    enqueued(handler, 10)

    drain(threads=1)

    assert calls == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [*Job.objects.order_by("pk").values_list("result", flat=True)] == [*range(0, 20, 2)]
    assert {state for _, state, _ in told()} == {State.SUCCEEDED}


def test_what_is_returned_is_for_all_that_have_no_answer() -> None:
    def answer(chunk: Chunk[Number]) -> Outcome:
        chunk[0].done("first")
        chunk[1].answer(Cancelled("not this one"))
        return Dead("all others")

    handler, _ = chunked(answer)
    enqueued(handler, 4)

    drain(threads=1)

    assert [state for _, state, _ in told()] == ["succeeded", "cancelled", "dead", "dead"]


@pytest.mark.parametrize("poison", [0, 3, 7])
def test_a_poisonous_job_fails_alone_and_its_neighbours_spend_nothing(poison: int) -> None:
    def answer(chunk: Chunk[Number]) -> None:
        if poison in [item["number"] for item in chunk.payloads]:
            raise ValueError("poison")

    handler, calls = chunked(answer, size=8, max_attempts=2)
    ids = enqueued(handler, 8)

    drain(threads=1)
    drain(threads=1)  # the attempt that is left

    dead = Job.objects.get(pk=ids[poison])
    assert (dead.state, dead.attempt, dead.last_error) == (State.DEAD, 2, "ValueError: poison")
    others = [(state, attempt) for number, state, attempt in told() if number != poison]
    assert others == [(State.SUCCEEDED, 1)] * 7
    assert len(calls) == 1 + 3 * 2 + 1  # halves down to it, and its second attempt alone


def test_an_answer_stands_whatever_the_call_does_afterwards() -> None:
    def answer(chunk: Chunk[Number]) -> None:
        for item in chunk:
            if item.payload["number"] == 2:
                raise RuntimeError("in the middle")
            item.done()

    handler, calls = chunked(answer, max_attempts=1)
    enqueued(handler, 4)

    drain(threads=1)

    assert [state for _, state, _ in told()] == ["succeeded", "succeeded", "dead", "succeeded"]
    assert calls == [[0, 1, 2, 3], [2], [3]]


def test_jobs_of_which_the_handler_asks_nothing_are_done_each_for_itself() -> None:
    @chunk_job(kind="tests.chunked", size=4, max_attempts=3)
    def handler(chunk: Chunk[Number]) -> None:
        if len(chunk) > 1:
            chunk[1].ctx.progress(1)

    ids = enqueued(handler, 4)
    Job.objects.filter(pk=ids[3]).update(attempt=1)

    drain(threads=1)

    assert told() == [(number, State.SUCCEEDED, 1 + (number == 3)) for number in range(4)]
    assert not Job.objects.filter(finished_at=None).exists()
    assert [*Job.objects.filter(progress__done=1).values_list("payload__number", flat=True)] == [1]


@pytest.mark.parametrize("broken", [0, 2])
def test_a_payload_that_can_not_be_read_fails_its_own_job_alone(broken: int) -> None:
    def answer(chunk: Chunk[Number]) -> None:
        for item in chunk:
            item.done(item.payload["number"])

    handler, _ = chunked(answer, max_attempts=1)
    ids = enqueued(handler, 4)
    Job.objects.filter(pk=ids[broken]).update(payload=[])

    drain(threads=1)

    assert [pk for (pk,) in Job.objects.filter(state=State.DEAD).values_list("pk")] == [ids[broken]]
    assert Job.objects.filter(state=State.SUCCEEDED).count() == 3


def test_two_threads_that_ask_for_a_context_at_once_get_the_same() -> None:
    contexts: list[Any] = []

    def answer(chunk: Chunk[Number]) -> None:
        with ThreadPoolExecutor(4) as pool:
            contexts.extend(pool.map(lambda item: item.ctx, [chunk[0]] * 20))

    handler, _ = chunked(answer)
    enqueued(handler, 2)

    drain(threads=1)

    assert len(contexts) == 20
    assert len({id(one) for one in contexts}) == 1


def test_a_second_answer_is_refused() -> None:
    refused: list[object] = []

    def answer(chunk: Chunk[Number]) -> None:
        chunk[0].done(1)
        with pytest.raises(RuntimeError, match="its answer already"):
            chunk[0].done(2)
        with pytest.raises(TypeError, match="an outcome or an exception, not 'fine'"):
            chunk[0].answer("fine")  # type: ignore[arg-type] # wrong, to be refused
        refused.append(chunk[0])

    handler, _ = chunked(answer)
    enqueued(handler, 1)

    drain(threads=1)

    assert Job.objects.get().result == 1
    assert refused


def test_each_way_of_answering_is_settled_as_its_outcome() -> None:
    answers: list[Outcome | BaseException] = [
        Snoozed(delay=3600),
        Throttled(3600, scope="job"),
        Failed("no luck"),
        KeyError("name"),
    ]

    def answer(chunk: Chunk[Number]) -> None:
        for item in chunk:
            item.answer(answers[item.payload["number"]])

    handler, _ = chunked(answer, max_attempts=1)
    ids = enqueued(handler, 4)

    drain(threads=1)

    assert [state for _, state, _ in told()] == ["scheduled", "scheduled", "dead", "dead"]
    assert Job.objects.get(pk=ids[3]).last_error == "KeyError: 'name'"


def test_jobs_share_a_call_with_those_of_their_key_and_queue_alone() -> None:
    handler, calls = chunked(lambda chunk: None, chunk_key=lambda one: str(one["number"] % 2))
    enqueued(handler, 8)
    handler.using(queue="other").enqueue(number=8)

    drain(queues=("default", "other"), threads=1)

    assert sorted(calls) == [[0, 2, 4, 6], [1, 3, 5, 7], [8]]


def test_a_key_that_can_not_be_told_is_its_own_jobs_failure() -> None:
    handler, calls = chunked(
        lambda chunk: None, chunk_key=lambda payload: 7 // payload["number"] * "x", max_attempts=1
    )
    enqueued(handler, 3)

    drain(threads=1)

    assert [state for _, state, _ in told()] == ["dead", "succeeded", "succeeded"]
    assert "ZeroDivisionError" in Job.objects.earliest("pk").last_error
    assert sorted(calls) == [[1], [2]]


def test_a_job_with_an_attempt_behind_it_comes_alone() -> None:
    handler, calls = chunked(lambda chunk: None)
    ids = enqueued(handler, 4)
    Job.objects.filter(pk=ids[1]).update(attempt=1)

    drain(threads=1)

    assert sorted(calls) == [[0, 2, 3], [1]]


def test_of_jobs_with_an_attempt_behind_them_one_is_called_at_a_time() -> None:
    most, now = [0], [0]
    both = Event()

    def answer(chunk: Chunk[Number]) -> None:
        if len(chunk) == 1:
            now[0] += 1
            most[0] = max(most[0], now[0])
            both.wait(0.05)
            now[0] -= 1

    handler, calls = chunked(answer)
    ids = enqueued(handler, 12)
    Job.objects.filter(pk__in=[ids[number] for number in range(8)]).update(attempt=1)

    drain(threads=4)

    assert most == [1]
    assert sorted(map(len, calls)) == [1] * 8 + [4]


def test_calls_are_limited_and_not_jobs() -> None:
    most, now = [0], [0]
    both = Event()

    def answer(chunk: Chunk[Number]) -> None:
        now[0] += 1
        most[0] = max(most[0], now[0])
        both.wait(0.05)
        now[0] -= 1

    handler, calls = chunked(answer, max_concurrent_per_process=1)
    enqueued(handler, 24)

    drain(threads=4)

    assert most == [1]
    assert [len(call) for call in calls] == [4] * 6


def test_a_kill_ends_the_call_and_the_neighbours_go_back() -> None:
    is_begun, goes_on = Event(), Event()

    def answer(chunk: Chunk[Number]) -> None:
        if len(chunk) == 3:
            is_begun.set()
            while not goes_on.wait(0.01):
                pass

    handler, calls = chunked(answer, size=3)
    ids = enqueued(handler, 3)
    with running(engine(threads=1)):
        assert is_begun.wait(30)

        Job.objects.get(pk=ids[1]).kill("enough")

        eventually(lambda: not Job.objects.unfinished().exists())
    assert told() == [(0, "succeeded", 1), (1, "cancelled", 1), (2, "succeeded", 1)]
    assert calls[1:] == [[0, 2]]


def test_a_call_that_takes_too_long_is_halved_as_well() -> None:
    def answer(chunk: Chunk[Number]) -> None:
        if 1 in [item["number"] for item in chunk.payloads]:
            while True:
                pass

    handler, _ = chunked(answer, size=2, timeout=0.2, max_attempts=1)
    ids = enqueued(handler, 2)

    drain(threads=1)

    assert [state for _, state, _ in told()] == ["succeeded", "dead"]
    assert Job.objects.get(pk=ids[1]).last_error.startswith("Timed out after 0.2 s")


def test_a_shutdown_gives_back_what_has_no_answer() -> None:
    is_begun = Event()

    def answer(chunk: Chunk[Number]) -> None:
        chunk[0].done()
        is_begun.set()
        for item in chunk[1:]:
            item.ctx.cancelled.wait(30)
            item.ctx.cancelled.raise_if_set()

    handler, _ = chunked(answer)
    enqueued(handler, 4)
    with running(engine(threads=1, shutdown_timeout=0.1)):
        assert is_begun.wait(30)

    assert told() == [(0, "succeeded", 1), (1, "ready", 0), (2, "ready", 0), (3, "ready", 0)]


def test_max_workers_counts_jobs() -> None:
    sizes = []
    handler, _ = chunked(lambda chunk: sizes.append(len(chunk)))
    Queue.objects.update_or_create(name="default", defaults={"max_workers": 2})
    enqueued(handler, 6)

    drain(threads=4)

    assert max(sizes) <= 2
    assert sum(sizes) == 6


def test_plain_jobs_run_beside_chunks_that_wait() -> None:
    handler, calls = chunked(lambda chunk: None, size=100, wait=0.2)
    enqueued(handler, 30)

    drain(threads=2)

    assert [len(call) for call in calls] == [30]


def test_a_payload_is_held_against_the_type_of_the_chunk() -> None:
    handler, _ = chunked(lambda chunk: None)

    with pytest.raises(ValueError, match=r"'number' is missing.*'nmber' is unexpected"):
        handler.enqueue(nmber=1)


def test_a_cancelled_member_can_be_left_out() -> None:
    is_begun = Event()

    def answer(chunk: Chunk[Number]) -> None:
        is_begun.set()
        chunk[1].ctx.cancelled.wait(30)
        for item in chunk:
            item.answer(Cancelled("asked to") if item.ctx.cancelled else Done())

    handler, _ = chunked(answer, size=2)
    ids = enqueued(handler, 2)
    with running(engine(threads=1)):
        assert is_begun.wait(30)
        Job.objects.filter(pk=ids[1]).cancel()
        eventually(lambda: not Job.objects.unfinished().exists())

    assert [state for _, state, _ in told()] == ["succeeded", "cancelled"]


@pytest.mark.processes
def test_a_job_that_takes_its_process_down_does_it_alone_the_next_time() -> None:
    perilous.enqueue_many([{"poison": number == 0} for number in range(8)])
    with Runjobs("--drain", "--threads", "4", "--processes", "1") as runjobs:
        code, output = runjobs.wait()

    ends = [*Job.objects.order_by("pk").values_list("state", "attempt")]
    assert ends == [(State.DEAD, 2)] + [(State.SUCCEEDED, 2)] * 7, output
    assert code == 3
