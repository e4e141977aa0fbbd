"""What nobody should read reaches the handler, and nobody else."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.dispatch import Signal
from pytest_django import Settings

from forge_jobs import Cancelled, Chunk, Dead, Failed, JobContext, chunk_job, enqueue, job, signals
from forge_jobs.log import jobs
from forge_jobs.models import Job, JobEvent, State
from forge_jobs.redaction import MASK
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)

CARD = "4111 1111 1111 1111"
TOKEN = 'tok_5f2a\n"x"'
PAYLOAD = {"order": {"Card": CARD}, "token": TOKEN, "user": "ada"}


@pytest.fixture(autouse=True)
def _hidden(settings: Settings) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "REDACT": ["token"]}


@pytest.fixture
def _logged() -> Iterator[None]:
    lines = {**jobs.RECEIVERS, signals.job_finished: jobs.job_ended_well}
    for signal, receiver in lines.items():
        signal.connect(receiver, dispatch_uid=f"tests {receiver.__name__}")
    yield
    for signal, receiver in lines.items():
        signal.disconnect(dispatch_uid=f"tests {receiver.__name__}")


@contextmanager
def heard(*wanted: Signal) -> Iterator[list[Any]]:
    """What receivers get, as one who dumps it all would store it."""
    got: list[Any] = []

    def receive(**kwargs: Any) -> None:
        got.append(repr(kwargs))
        if finished := kwargs.get("finished"):
            got.append((finished, repr(vars(finished.outcome)), finished.outcome.args))

    for signal in wanted:
        signal.connect(receive)
    try:
        yield got
    finally:
        for signal in wanted:
            signal.disconnect(receive)


def is_told(text: object) -> bool:
    told = str(text)
    return CARD in told or "tok_5f2a" in told


def everything() -> str:
    """All that is stored of jobs but their payloads."""
    rows = list(Job.objects.values("last_error", "errors", "progress", "cancel_reason"))
    return repr([rows, list(JobEvent.objects.values("detail"))])


def raises(order: Any, token: str) -> None:
    raise ValueError(f"{order['Card']} was refused: {token} {token!r}")


def fails(order: Any, token: str) -> Failed:
    return Failed(f"refused {order}", traceback=f"at {token}")


def dies(order: Any, token: str) -> Dead:
    raise Dead(f"refused {order} {token}")


def is_cancelled(order: Any, token: str) -> Cancelled:
    return Cancelled(f"of {order}")


def has_a_cause(order: Any, token: str) -> None:
    try:
        raises(order, token)
    except ValueError as error:
        raise Failed("no") from error


def returns_what_can_not_be_stored(order: Any, token: str) -> Any:
    return {"token": b"tok_5f2a in bytes"}


@pytest.mark.parametrize(
    "handle",
    [raises, fails, dies, is_cancelled, has_a_cause, returns_what_can_not_be_stored],
)
@pytest.mark.parametrize("atomic", [False, True], ids=["plain", "atomic"])
@pytest.mark.usefixtures("_logged")
def test_an_outcome_quotes_nothing_hidden(
    handle: Callable[..., Any], atomic: bool, caplog: pytest.LogCaptureFixture
) -> None:
    @job(kind="tests.pay", redact=("card",), max_attempts=1, atomic=atomic)
    def pay(user: str, order: Any, token: str) -> Any:
        assert (order, token) == ({"Card": CARD}, TOKEN)
        return handle(order, token)

    stored = enqueue(pay, PAYLOAD)
    with (
        caplog.at_level(logging.DEBUG, "forge_jobs"),
        heard(signals.job_started, signals.job_finished, signals.job_failed) as got,
    ):
        drain()

    stored.refresh_from_db()
    assert stored.payload == PAYLOAD
    assert stored.last_error
    assert MASK in f"{stored.last_error}{stored.errors}"
    assert not is_told(everything())
    assert not is_told(caplog.text)
    assert got
    assert not is_told(got)


def test_receivers_get_results_without_what_is_hidden(settings: Settings) -> None:
    @job(kind="tests.pay", redact=["receipt"])
    def pay(**payload: Any) -> Any:
        return {"receipt": CARD, "token": TOKEN, "user": payload["user"]}

    stored = pay.using(context={"token": TOKEN}).enqueue(**PAYLOAD, card=1)
    with heard(signals.job_finished) as got:
        drain()

    stored.refresh_from_db()
    assert stored.result == {"receipt": CARD, "token": TOKEN, "user": "ada"}
    (finished, *_) = got[1]
    assert json.loads(finished.transition.result) == {
        "receipt": MASK, "token": MASK, "user": "ada",
    }  # fmt: skip
    assert finished.outcome.result == {"receipt": MASK, "token": MASK, "user": "ada"}
    assert json.loads(finished.job.payload)["token"] == MASK
    assert json.loads(finished.job.context) == {"token": MASK}


def test_progress_quotes_nothing_hidden() -> None:
    go_on = Event()

    @job(kind="tests.pay", redact=["card"], takes_context=True)
    def pay(ctx: JobContext, /, order: Any, **payload: Any) -> None:
        ctx.progress(1, 411111111111, f"charging {order['Card']}")
        go_on.wait(PATIENCE)
        ctx.progress(2, 2, f"charged {order['Card']}")

    stored = pay.enqueue(**PAYLOAD)
    with running(engine()):
        eventually(lambda: bool(Job.objects.get().progress))
        told = Job.objects.get().progress
        go_on.set()
        eventually(lambda: Job.objects.get().finished_at is not None)

    stored.refresh_from_db()
    assert told == {"done": 1, "total": 411111111111, "message": f"charging {MASK}"}
    assert stored.progress == {"done": 2, "total": 2, "message": f"charged {MASK}"}


def test_other_kinds_are_told_of_in_full() -> None:
    @job(kind="tests.other", max_attempts=1)
    def other(card: str) -> Failed:
        return Failed(f"refused {card}")

    other.enqueue(card=CARD)
    drain()

    assert Job.objects.get().last_error == f"refused {CARD}"


@pytest.mark.parametrize("given", ["card", [""], 7, None], ids=repr)
def test_a_handler_says_which_names_are_hidden(given: Any) -> None:
    with pytest.raises(ValueError, match=r"redact of tests\.pay must be names"):

        @job(kind="tests.pay", redact=given)
        def pay() -> None: ...


class Hostile(dict[str, Any]):
    def items(self) -> Any:
        raise SystemExit("items")

    def __repr__(self) -> str:
        raise SystemExit("repr")


class HostileText(str):
    def translate(self, table: Any) -> Any:
        raise SystemExit("translate")

    def __repr__(self) -> str:
        raise SystemExit("repr")


@pytest.mark.parametrize(
    "result",
    [Hostile(token=1), {"token": Hostile()}, {"token": HostileText(CARD)}, [HostileText("token")]],
    ids=["dict", "dict within", "text", "list"],
)
def test_what_a_handler_returns_can_not_harm_whoever_hides_it(result: Any) -> None:
    @job(kind="tests.hostile", max_attempts=1)
    def hostile() -> Any:
        return result

    hostile.enqueue()
    with heard(signals.process_stopped) as got:
        drained = drain()

    assert Job.objects.get().finished_at is not None
    assert not drained.failure
    assert got


@pytest.mark.parametrize("outcome", [Failed, Dead, Cancelled])
def test_nor_can_a_message_whose_text_raises(outcome: Callable[[Any], Any]) -> None:
    class Untellable:
        def __str__(self) -> str:
            raise SystemExit("str")

    @job(kind="tests.hostile", max_attempts=1)
    def hostile(token: str) -> Any:
        return outcome(Untellable())

    hostile.enqueue(token=TOKEN)
    drained = drain()

    assert "can't be told" in Job.objects.get().last_error
    assert not drained.failure


@pytest.mark.parametrize("how", ["raises", "returns", "answers", "answers one and raises"])
def test_what_a_call_says_of_its_jobs_hides_what_is_hidden_in_any_of_them(how: str) -> None:
    @chunk_job(kind="tests.pay_many", size=2, max_attempts=1, redact=["card"])
    def pay(chunk: Chunk[dict[str, Any]]) -> Failed | None:
        told = f"declined: {[item.payload['card'] for item in chunk]}"
        if how == "returns":
            return Failed(told)
        if how == "answers":
            for item in chunk:
                item.answer(ValueError(told))
            return None
        if how == "answers one and raises" and len(chunk) > 1:
            chunk[0].done()
        raise ValueError(told)

    pay.enqueue_many({"card": card} for card in ("4111-1111", "5500-0000"))
    drain(threads=1)

    errors = [job.last_error for job in Job.objects.order_by("pk") if job.state == State.DEAD]
    assert errors
    for error in errors:
        assert MASK in error
        assert "4111-1111" not in error
        assert "5500-0000" not in error
