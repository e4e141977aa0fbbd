"""What a pool makes of all that its children do."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import psutil
import pytest

from forge_jobs import Cancelled, Dead, Done, Failed, Outcome, Snoozed, Throttled, register
from forge_jobs.children import warm
from forge_jobs.context import SHUTDOWN
from forge_jobs.exceptions import ChildUnfit, InvalidHandler
from forge_jobs.handlers import SubprocessPool
from forge_jobs.handlers.outcomes import Interrupted, Released
from forge_jobs.signals import pool_child_ended
from forge_jobs.testing import run
from forge_jobs.testing.worker import LoneWorker
from tests.children.conftest import Made, claimed, tell
from tests.running import PATIENCE, eventually

pytestmark = [pytest.mark.once, pytest.mark.django_db]

GUARD = 1
"""The process that ends the others should this one be killed."""


@pytest.fixture
def replaced() -> Iterator[list[str]]:
    """Why children were replaced."""
    reasons: list[str] = []

    def hear(*, why: str, **kwargs: Any) -> None:
        reasons.append(why)

    pool_child_ended.connect(hear)
    yield reasons
    pool_child_ended.disconnect(hear)


def pid(pool: SubprocessPool) -> int:
    done = tell(pool, "echo")
    assert isinstance(done, Done)
    number: int = done.result["pid"]
    return number


def is_gone(number: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    return True


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ('{"id": ID, "status": "ok", "result": [1, "é"]}', Done([1, "é"])),
        ('{"id": ID, "status": "ok"}', Done(None)),
        ('{"status": "ok", "result": 1}', Done(1)),
        ('{"id": ID, "status": "error", "message": "no such file"}', Failed("no such file")),
        ('{"id": ID, "status": "error"}', Failed("The child did not say why.")),
        ('{"id": ID, "status": "dead", "message": "never"}', Dead("never")),
        ('{"id": ID, "status": "throttled", "retry_after_secs": 7}', Throttled(7)),
        ('{"id": ID, "status": "snoozed", "retry_after_secs": 0.5}', Snoozed(delay=0.5)),
        ('{"id": ID, "status": "cancelled", "message": "enough"}', Cancelled("enough")),
    ],
)
def test_what_a_child_answers_is_the_outcome_and_it_is_used_again(
    pool: Made, said: str, outcome: Outcome
) -> None:
    children = pool()
    before = pid(children)

    came = tell(children, "say", text=said)

    assert (type(came), vars(came)) == (type(outcome), vars(outcome))
    assert pid(children) == before


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("nonsense", "The child said a line that is not JSON: 'nonsense'."),
        ("[]", "The child said a line that is no object: '[]'."),
        ("{}", "The child said a line without a status, a progress or a log: '{}'."),
        ("[" * 100_000, "The child said a line that is not JSON: "),
        ('{"id": 17, "status": "ok"}', "The child said a line with the id 17 during job 0."),
        ('{"id": null, "status": "ok"}', "The child said a line with the id None during job 0."),
        ('{"id": false, "status": "ok"}', "The child said a line with the id False during job 0."),
        ('{"status": "fine"}', "with the status 'fine', not ok, error, dead, throttled, snoozed"),
        ('{"status": "throttled"}', "of which retry_after_secs is None, no number of seconds"),
        ('{"status": "snoozed", "retry_after_secs": -1}', "of which retry_after_secs is -1, no"),
        ('{"status": "error", "message": 5}', "of which message is 5, no text"),
        ('{"progress": "far"}', "The child said a line without a status, a progress or a log"),
        ('{"progress": {"done": "x"}}', "whose progress can't be taken: "),
        ('{"progress": NaN}', "whose progress can't be taken: "),
        ('{"log": "x", "level": "loud"}', "with the level 'loud', not debug, info, warning, error"),
    ],
)
def test_a_child_that_says_what_none_may_say_is_replaced(
    pool: Made, said: str, message: str
) -> None:
    children = pool()
    before = pid(children)

    came = tell(children, "say", text=said)

    assert isinstance(came, Failed)
    assert message in came.message
    assert pid(children) != before
    assert is_gone(before)


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ("exit", "The child ended with exit code 7 before it had answered."),
        ("exit with a word", "The child ended with exit code 3 before it had answered."),
        ("abort", "The child was ended by SIGSEGV before it had answered."),
        ("half a line", "The child ended with exit code 0 before it had answered."),
        ("close stdout", "The child closed its stdout before it had answered."),
        ("flood", "The child said a line of more than 8,388,608 bytes."),
        ("grandchild, then exit", "The child ended with exit code 0 before it had answered."),
    ],
)
def test_a_child_that_can_not_answer_fails_its_job_alone(pool: Made, do: str, message: str) -> None:
    children = pool()
    before = pid(children)

    came = tell(children, do, code=7)

    assert isinstance(came, Failed)
    assert came.message == message
    assert is_gone(before)
    assert pid(children) != before


def test_bytes_that_are_no_text_are_no_answer(pool: Made) -> None:
    came = tell(pool(), "say bytes", hex="fffe7b0a")

    assert isinstance(came, Failed)
    assert came.message == r"The child said a line that is not JSON: '\\xff\\xfe{'."


@pytest.mark.parametrize("do", ["answer twice", "answer and begin another"])
def test_an_answer_stands_but_who_goes_on_after_it_is_replaced(pool: Made, do: str) -> None:
    children = pool()
    before = pid(children)

    assert isinstance(tell(children, do), Done)
    assert pid(children) != before


def test_what_is_said_after_an_answer_is_never_taken_for_the_next_one(
    pool: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "MOMENT_SECONDS", PATIENCE)
    children = pool()
    before = pid(children)

    assert isinstance(tell(children, "answer twice without id"), Done)
    eventually(lambda: all(child.fault or child.has_spoken() for child in children.pool.children()))
    assert pid(children) != before


@pytest.mark.parametrize(("of", "outcome"), [(7, Interrupted), (9, Failed)])
def test_who_speaks_of_an_earlier_job_costs_the_one_that_runs_no_attempt(
    pool: Made, of: int, outcome: type[Outcome]
) -> None:
    children = pool()
    late = {"do": "say", "text": f'{{"id": {of}, "status": "ok"}}'}
    earlier, now = claimed(children, {}, pk=7), claimed(children, late, pk=8)

    came = [LoneWorker().outcome_of(one)[0] for one in (earlier, now)]

    assert [type(one) for one in came] == [Done, outcome]
    assert f"The child said a line with the id {of} during job 8." in str(vars(came[1]))


@pytest.mark.parametrize("do", ["hang", "ignore signals", "stop", "close stdin"])
def test_a_child_is_ended_with_its_group_when_the_time_of_its_job_is_up(
    pool: Made, do: str
) -> None:
    children = pool()
    before = pid(children)
    grandchild = tell(children, "grandchild")
    assert isinstance(grandchild, Done)
    run = claimed(children, {"do": do}, timeout=0.3)

    came, _ = LoneWorker().outcome_of(run)

    assert isinstance(came, Failed)
    assert came.message.startswith("Timed out after 0.3 s")
    eventually(lambda: is_gone(before) and is_gone(grandchild.result))
    assert pid(children) != before


@pytest.mark.parametrize("reason", ["not needed", SHUTDOWN])
def test_a_job_that_is_cancelled_ends_its_child(pool: Made, reason: str) -> None:
    children = pool()
    before = pid(children)
    run = claimed(children, {"do": "ignore signals"})
    outcomes: list[Outcome] = []
    thread = Thread(target=lambda: outcomes.append(LoneWorker().outcome_of(run)[0]))

    thread.start()
    run.context.cancelled.set(reason)
    thread.join(PATIENCE)

    came = outcomes[0]
    assert isinstance(came, Released if reason == SHUTDOWN else Cancelled)
    assert is_gone(before)


def test_both_sides_may_say_more_than_their_pipes_hold_at_once(pool: Made) -> None:
    children = pool("--both-ways")

    came = tell(children, "both ways", bytes=3_000_000, text="a" * 1_000_000)

    assert isinstance(came, Done)
    assert came.result == 1_000_000


def test_what_a_child_tells_is_logged_with_its_job_and_its_progress_is_kept(
    pool: Made, caplog: pytest.LogCaptureFixture
) -> None:
    run = claimed(pool(), {"do": "tell"})
    with caplog.at_level(logging.INFO, "forge_jobs.jobs"):
        LoneWorker().outcome_of(run)

    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("INFO", "tests.pool #0: to stderr"),
        ("WARNING", "tests.pool #0: to the log"),
    ]
    assert [one.__dict__["job_id"] for one in caplog.records] == [0, 0]
    assert run.context.told_progress == (1, 3, "one")


def test_a_log_that_is_never_read_to_its_end_does_not_hold_up_the_child(
    pool: Made, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "forge_jobs.jobs"):
        assert isinstance(tell(pool(), "flood the log", lines=2_000), Done)

    assert len(caplog.records) > 1_900  # the last ones may come after the answer


def test_a_child_makes_way_after_its_number_of_jobs(pool: Made, replaced: list[str]) -> None:
    children = pool(max_jobs=2)

    pids = [pid(children) for _ in range(5)]

    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    assert replaced == ["it has run 2 jobs"] * 2


def test_a_child_that_eats_memory_fails_alone(pool: Made) -> None:
    children = pool(max_memory=100 * 2**20)
    before = pid(children)

    came = tell(children, "eat", mebibytes=300)

    assert isinstance(came, Failed)
    assert "MiB of memory, more than 100 MiB." in came.message
    assert is_gone(before)


def test_a_child_that_died_at_rest_is_buried_and_told_of(pool: Made, replaced: list[str]) -> None:
    children = pool()
    before = pid(children)
    psutil.Process(before).kill()
    eventually(lambda: is_gone(before))

    children.pool.look_after()

    assert replaced == ["it was ended by SIGKILL"]
    assert not psutil.pid_exists(before)
    assert isinstance(tell(children, "echo"), Done)


def test_a_job_gets_any_child_that_is_free(pool: Made) -> None:
    children = pool(size=3)
    busy = [claimed(children, {"do": "hang"}) for _ in range(2)]
    threads = [Thread(target=LoneWorker().outcome_of, args=[run]) for run in busy]
    for thread in threads:
        thread.start()
    eventually(lambda: len(children.pool.children()) == len(busy))  # each has one of its own

    assert pid(children) == pid(children) == pid(children)

    for one in busy:
        one.context.cancelled.set("enough")
    for thread in threads:
        thread.join(PATIENCE)


def test_children_start_at_once_and_wait_for_jobs(pool: Made) -> None:
    children = pool("--ready", size=3, ready=True)

    children.pool.start(heed=lambda: None)

    assert len(psutil.Process().children()) == 3 + GUARD


@pytest.mark.parametrize(
    ("program", "options", "message"),
    [
        (["/nowhere/at-all"], {}, "No such file or directory: '/nowhere/at-all'"),
        ([__file__], {}, "Permission denied"),
        ([sys.executable, "missing.py"], {}, "it ended with exit code 2; "),
        ([sys.executable, "-c", "print('hello')"], {"ready": True}, "it said b'hello' instead of"),
        (
            ["sleep", "1000"],
            {"ready": True, "startup_timeout": 0.2},
            'it did not say {"ready": true} within ',
        ),
        (["sleep", "1000"], {"cwd": "/nowhere"}, "No such file or directory: "),
    ],
)
def test_a_pool_that_can_not_start_says_why_and_leaves_nothing_behind(
    pool: Made, program: list[str], options: dict[str, Any], message: str
) -> None:
    broken = SubprocessPool("tests.broken", program, size=2, **options)

    with pytest.raises(ChildUnfit, match=r"^No child of tests\.broken can be started: ") as raised:
        broken.pool.start(heed=lambda: None)

    assert message in str(raised.value)
    assert len(psutil.Process().children()) <= GUARD


def test_the_time_in_which_a_child_starts_is_not_its_job_s(pool: Made) -> None:
    children = pool("--slow", "--ready", ready=True)
    began = time.monotonic()

    outcome, _ = LoneWorker().outcome_of(claimed(children, {"do": "hang"}, timeout=0.2))

    assert isinstance(outcome, Failed)
    assert outcome.message.startswith("Timed out after 0.2 s")
    assert time.monotonic() - began >= 0.3 + 0.2


def test_a_job_for_which_no_child_can_be_started_spends_no_attempt(pool: Made) -> None:
    broken = register(SubprocessPool("tests.broken", ["/nowhere/at-all"]))

    first, second = run(broken, {}), run(broken, {})

    for came in (first, second):
        assert isinstance(came, Interrupted)
        assert "No such file or directory: '/nowhere/at-all'" in came.message


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"argv": []}, "argv"),
        ({"argv": "python"}, "argv"),
        ({"argv": ["a\0b"]}, "argv"),
        ({"argv": [""]}, "argv"),
        ({"size": 0}, "size"),
        ({"size": True}, "size"),
        ({"env": {"A=B": "c"}}, "env"),
        ({"env": {"A": 1}}, "env"),
        ({"cwd": 7}, "cwd"),
        ({"ready": "yes"}, "ready"),
        ({"startup_timeout": -1}, "startup_timeout"),
        ({"startup_timeout": 0}, "startup_timeout"),
        ({"max_jobs": 0}, "max_jobs"),
        ({"max_memory": 0.5}, "max_memory"),
        ({"timeout": "long"}, "timeout"),
        ({"sise": 3}, "sise"),
    ],
)
def test_what_can_not_be_is_refused_where_it_is_declared(
    options: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidHandler) as raised:
        register(SubprocessPool("tests.pool", **{"argv": ["cat"], **options}))

    assert raised.value.field == field
    assert field in str(raised.value)


def test_a_process_that_is_forked_has_no_children_of_its_parent(pool: Made) -> None:
    children = pool()
    before = pid(children)

    if not (fork := os.fork()):
        os._exit(0 if pid(children) != before else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) == 0
    assert pid(children) == before
