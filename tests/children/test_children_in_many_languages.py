"""The children that the docs show: in Python by our helper, in a shell, and in Node."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forge_jobs import Cancelled, Dead, Done, Failed, Outcome, Snoozed, Throttled, register
from forge_jobs.child.__main__ import found
from forge_jobs.child.serving import Line, answered
from forge_jobs.children.guardian import guardian
from forge_jobs.handlers import SubprocessPool
from forge_jobs.testing import run
from tests.running import PATIENCE, ROOT

pytestmark = [pytest.mark.once, pytest.mark.django_db]

EXAMPLES = ROOT / "examples/children"
WORDS = {
    "python": [sys.executable, "-m", "forge_jobs.child", "words:count"],
    "node": ["node", "words.mjs"],
}


@pytest.fixture(params=WORDS)
def words(request: pytest.FixtureRequest) -> Iterator[SubprocessPool]:
    program = WORDS[request.param]
    if not shutil.which(program[0]):
        pytest.skip(f"without {program[0]}")
    pool = register(SubprocessPool("tests.words", program, cwd=EXAMPLES, ready=True))
    yield pool
    pool.pool.stop()
    guardian.leave()


def test_a_child_counts_words_one_job_after_the_other(words: SubprocessPool) -> None:
    for text, result in {
        "to be or not": {"words": 4, "longest": 3},
        "": {"words": 0, "longest": 0},
        "ein Käse": {"words": 2, "longest": 4},
    }.items():
        came = run(words, {"text": text})
        assert isinstance(came, Done), came
        assert came.result == result


def test_a_child_logs_at_its_level_and_survives_what_it_can_not_do(
    words: SubprocessPool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "forge_jobs.jobs"):
        run(words, {"text": ""})
        came = run(words, {"text": 5})

    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("WARNING", "tests.words #0: there are no words")
    ]
    assert isinstance(came, Failed)
    assert "Error" in came.message
    assert "words." in came.traceback


def test_a_shell_is_a_child_too() -> None:
    pool = register(SubprocessPool("tests.days", [EXAMPLES / "days.sh"]))

    came = [run(pool, {"seconds": seconds}) for seconds in (0, 86_400, 10**9)]
    assert [vars(one) for one in came] == [{"result": days} for days in (0, 1, 11_574)]
    assert isinstance(run(pool, {"second": 1}), Dead)

    pool.pool.stop()


def test_what_a_python_child_prints_does_not_disturb_its_answers() -> None:
    lines = [{"id": 1, "payload": {"obj": 1}}, {"id": 2, "payload": {"obj": 2}}]
    ended = subprocess.run(
        [sys.executable, "-m", "forge_jobs.child", "builtins:print"],
        input="".join(f"{json.dumps(line)}\n" for line in lines),
        text=True,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )

    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert said[0] == {"ready": True}
    assert [(one["id"], one["status"]) for one in said[1:]] == [(1, "error"), (2, "error")]


def test_what_a_job_leaves_behind_speaks_neither_between_two_jobs_nor_for_another() -> None:
    theirs, ours = os.pipe()
    line = Line(out=ours)
    line.begin(7)
    said = [line.say(log="in time")]
    line.end({"status": "ok"})
    said += [line.say(log="at rest"), line.say(of=7, progress=1)]
    line.begin(8)
    said += [line.say(of=7, progress=2), line.say(of=8, progress=3)]
    if not (fork := os.fork()):
        os._exit(line.say(log="in a fork"))
    assert os.waitpid(fork, 0)[1] == 0

    heard = [json.loads(one) for one in os.read(theirs, 4_096).splitlines()]
    os.close(theirs)
    os.close(ours)

    assert said == [True, False, False, False, True]
    assert heard == [
        {"id": 7, "log": "in time"},
        {"id": 7, "status": "ok"},
        {"id": 8, "progress": 3},
    ]


def refuse() -> None:
    raise LookupError("no such order")


def leave() -> None:
    sys.exit(3)


def throttled() -> None:
    raise Throttled(5)


def at_last() -> Outcome:
    return Snoozed(until=datetime.now(UTC) - timedelta(hours=1))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: [1], {"status": "ok", "result": [1]}),
        (lambda: Done("x"), {"status": "ok", "result": "x"}),
        (throttled, {"status": "throttled", "retry_after_secs": 5.0}),
        (lambda: Snoozed(delay=60), {"status": "snoozed"}),
        (at_last, {"status": "snoozed", "retry_after_secs": 0.0}),
        (lambda: Cancelled("enough"), {"status": "cancelled", "message": "enough"}),
        (lambda: Dead("never"), {"status": "dead", "message": "never"}),
        (refuse, {"status": "error", "message": "LookupError: no such order"}),
        (leave, {"status": "error", "message": "SystemExit: 3"}),
    ],
)
def test_a_python_child_says_what_a_function_comes_to(
    call: Callable[[], Any], said: dict[str, Any]
) -> None:
    assert said.items() <= answered(call).items()


def test_a_result_that_is_not_json_is_an_error_that_says_where() -> None:
    said = answered(lambda: {"at": [NOW]})

    assert said["status"] == "error"
    assert "the result.at[0] is not JSON" in said["message"]


@pytest.mark.parametrize("given", ["words", "words:", ":count", "json:no_such", "json:decoder.x"])
def test_a_function_that_is_not_there_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"json has no function|is no module and function"):
        found(given)


NOW = datetime.now(UTC)
