"""Jobs that run a program: what they may ask for, and what becomes of what the program does."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from forge_jobs import Cancelled, Dead, Done, Failed, Outcome, register
from forge_jobs.checks.children import check_programs
from forge_jobs.children.child import Child
from forge_jobs.children.folder import HELD
from forge_jobs.children.guardian import guardian
from forge_jobs.exceptions import InvalidHandler, InvalidPayload
from forge_jobs.handlers import Command
from forge_jobs.handlers.registry import registry
from forge_jobs.testing import run
from forge_jobs.testing.worker import LoneWorker
from tests.children.conftest import claimed
from tests.running import PATIENCE, eventually

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/inner").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "root/link").symlink_to(tmp_path / "outside")
    return tmp_path / "root"


@pytest.fixture
def command(root: Path) -> Iterator[Command]:
    itself = psutil.Process()
    descriptors, processes = itself.num_fds(), {*itself.children(recursive=True)}
    allow = ["sh", "cat", "pwd", "env", "/bin/echo", "no-such-program"]
    yield register(Command("tests.command", allow=allow, root=root, env=["COLOUR"]))
    guardian.leave()
    assert {*itself.children(recursive=True)} <= processes
    assert itself.num_fds() <= descriptors


def shell(command: Command, line: str, **payload: Any) -> Outcome:
    return run(command, {"argv": ["sh", "-c", line], **payload})


def result(outcome: Outcome) -> Any:
    assert isinstance(outcome, Done), outcome
    return outcome.result


def message(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed), outcome
    return outcome.message


def test_no_command_can_be_run_unless_one_is_registered() -> None:
    assert not any(isinstance(handler, Command) for handler in registry.handlers())


def test_what_a_program_prints_is_the_result(command: Command) -> None:
    assert result(run(command, {"argv": ["/bin/echo", "$HOME", "; ls"]})) == "$HOME ; ls\n"
    assert result(run(command, {"argv": ["cat"], "stdin": "é"})) == "é"
    assert result(run(command, {"argv": ["cat"]})) == ""
    assert result(shell(command, r"printf 'a\0\377'")) == "a␀�"


def test_of_much_that_a_program_prints_the_end_is_kept(command: Command) -> None:
    told = result(shell(command, "yes no | head -c 5000000; echo yes"))

    assert told.startswith("… ")
    assert told.endswith("no\nnoyes\n")
    assert len(told) == 8_192 + 2


def test_much_goes_in_while_much_comes_out(command: Command) -> None:
    assert result(run(command, {"argv": ["cat"], "stdin": "x" * 900_000})).endswith("xxx")


def test_a_program_reads_to_the_end_though_nobody_listens_to_it(
    command: Command, root: Path
) -> None:
    outcome = shell(command, "exec >&- 2>&-; wc -c > size", stdin="x" * 900_000)

    assert result(outcome) == ""
    assert int((root / "size").read_text()) == 900_000


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("echo out; echo why >&2; exit 3", "exit 3: why"),
        ("exit 4", "exit 4"),
        ("kill -TERM $$", "was ended by SIGTERM"),
        ("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 5", f"exit 5: … {'x' * 1500}"),
        ("exec >&- 2>&-; exit 6", "exit 6"),
    ],
)
def test_a_program_that_fails_says_how(command: Command, line: str, told: str) -> None:
    assert message(shell(command, line)) == told


@pytest.mark.parametrize("line", ["trap '' TERM; sleep 1000", "exec >&- 2>&-; sleep 1000"])
def test_a_program_that_takes_too_long_is_ended_with_its_group(command: Command, line: str) -> None:
    told = message(shell(command, f"echo begun >&2; {line}", timeout_secs=1.5))

    assert told == "timed out after 1.5 s: begun"


def test_the_time_of_the_job_holds_as_well(command: Command) -> None:
    one = claimed(command, {"argv": ["sh", "-c", "sleep 1000"], "timeout_secs": 90}, timeout=0.3)

    outcome, _ = LoneWorker().outcome_of(one)

    assert "after 0.3 s" in message(outcome)


def test_what_a_program_leaves_behind_is_ended_and_not_waited_for(command: Command) -> None:
    left = int(result(shell(command, "sleep 1000 & echo $!")))

    eventually(lambda: not psutil.pid_exists(left))


def test_a_cancelled_job_ends_its_program(command: Command, root: Path) -> None:
    one = claimed(command, {"argv": ["sh", "-c", "echo $$ > pid; sleep 1000"]})
    outcomes: list[Outcome] = []
    thread = Thread(target=lambda: outcomes.append(LoneWorker().outcome_of(one)[0]))

    thread.start()
    eventually(lambda: (root / "pid").exists() and bool((root / "pid").read_text()))
    one.context.cancelled.set("not needed")
    thread.join(PATIENCE)

    assert isinstance(outcomes[0], Cancelled)
    assert not psutil.pid_exists(int((root / "pid").read_text()))


@pytest.mark.parametrize("cwd", ["", ".", "inner", "inner/..", "inner/../inner"])
def test_a_program_starts_within_the_root(command: Command, root: Path, cwd: str) -> None:
    told = result(run(command, {"argv": ["pwd"], "cwd": cwd}))

    assert Path(told.strip()) == (root / cwd).resolve()


@pytest.mark.parametrize(
    "cwd",
    ["..", "/", "/etc", "/etc/passwd", "../nowhere", "link", "link/..", "inner/../../outside"],
)
def test_no_way_leads_out_of_the_root(command: Command, cwd: str) -> None:
    outcome = run(command, {"argv": ["pwd"], "cwd": cwd})

    assert isinstance(outcome, Dead)
    assert "which leads out of the root of tests.command" in outcome.message


@pytest.mark.skipif(not HELD.exists(), reason="the system has no name for what is open")
def test_a_folder_that_was_looked_at_stays_the_one(
    command: Command, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = command._started

    def swap(*given: Any) -> Child:
        (root / "inner").rename(root / "moved")
        (root / "inner").symlink_to("/etc")
        return started(*given)

    monkeypatch.setattr(command, "_started", swap)
    told = result(run(command, {"argv": ["pwd"], "cwd": "inner"}))

    assert Path(told.strip()) == (root / "moved").resolve()


@pytest.mark.parametrize("cwd", ["loop", "nowhere", "x" * 5_000])
def test_a_folder_that_can_not_be_entered_fails_the_job(
    command: Command, root: Path, cwd: str
) -> None:
    (root / "loop").symlink_to("loop")

    assert message(run(command, {"argv": ["pwd"], "cwd": cwd})).startswith("pwd can't be started: ")


def test_a_program_is_not_looked_for_where_jobs_may_leave_one(
    command: Command, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "cat").write_text("#!/bin/sh\necho false")
    (root / "cat").chmod(0o755)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", f".::{os.environ['PATH']}")

    assert result(run(command, {"argv": ["cat"], "stdin": "true"})) == "true"


def test_a_program_gets_no_secrets_of_the_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")

    told = result(run(command, {"argv": ["env"], "env": {"COLOUR": "blue"}}))

    # Once it has been used in a process, Sentry's SDK tells all its children of the trace.
    names = {line.partition("=")[0] for line in told.splitlines() if "SUBPROCESS_" not in line}
    assert "COLOUR=blue" in told
    assert names <= {
        *["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "COLOUR", "FORGE_JOBS_CHILD_OF"]
    }


def test_a_program_that_is_not_there_fails_the_job(command: Command) -> None:
    told = message(run(command, {"argv": ["no-such-program"]}))

    assert told.startswith("no-such-program can't be started: there is no such program in ")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({}, "must have an argv"),
        ({"argv": "cat"}, "has as argv 'cat', which must be a list of texts"),
        ({"argv": []}, "has as argv [], which must be"),
        ({"argv": ["cat", 5]}, "has as argv ['cat', 5], which must be"),
        ({"argv": ["ls"]}, "names the program 'ls'; tests.command allows /bin/echo, cat, env, no-"),
        ({"argv": ["/bin/cat"]}, "names the program '/bin/cat'; "),
        ({"argv": ["cat"], "env": {"PATH": "/tmp"}}, "sets 'PATH'; tests.command allows the vari"),
        ({"argv": ["cat"], "env": {"COLOUR": 5}}, "has as env {'COLOUR': 5}, which must be"),
        ({"argv": ["cat"], "cwd": 5}, "has as cwd 5, which must be a folder"),
        ({"argv": ["cat"], "stdin": 5}, "has as stdin 5, which must be a text"),
        ({"argv": ["cat"], "timeout_secs": 0}, "has as timeout_secs 0, which must be a number of"),
        ({"argv": ["cat"], "timeout_secs": 10**400}, "has as timeout_secs 1000000"),
        ({"argv": ["cat"], "timeout_secs": True}, "has as timeout_secs True, which must be"),
        ({"argv": ["cat"], "timeout": 5}, "has no 'timeout'. Did you mean 'timeout_secs'?"),
    ],
)
def test_what_is_not_allowed_is_refused_when_it_is_enqueued(
    command: Command, payload: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidPayload) as raised:
        command.enqueue(**payload)

    assert str(raised.value).startswith(f"The payload of a command {told}")


def test_without_a_root_no_job_chooses_where_it_starts() -> None:
    rootless = register(Command("tests.rootless", allow=["pwd"]))

    assert result(run(rootless, {"argv": ["pwd"]})).strip() == str(Path.cwd())
    with pytest.raises(InvalidPayload, match=r"has a cwd; tests\.rootless has no root"):
        rootless.enqueue(argv=["pwd"], cwd="/")


def test_what_is_allowed_no_more_when_the_job_runs_is_not_run(command: Command) -> None:
    one = claimed(command, {"argv": ["cat"]})
    command.allow = frozenset({"env"})

    outcome, _ = LoneWorker().outcome_of(one)

    assert isinstance(outcome, Dead)


def test_commands_are_not_open_to_others_unless_their_kind_says_so(command: Command) -> None:
    assert not command.open_to_others
    assert Command("tests.open", allow=["cat"], open_to_others=True).open_to_others


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"allow": []}, "allow"),
        ({"allow": "cat"}, "allow"),
        ({"allow": ["bin/cat"]}, "allow"),
        ({"allow": [""]}, "allow"),
        ({"env": "PATH"}, "env"),
        ({"root": 5}, "root"),
        ({"open_to_others": "no"}, "open_to_others"),
        ({"shell": True}, "shell"),
    ],
)
def test_what_can_not_be_is_refused_where_it_is_declared(
    options: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidHandler) as raised:
        Command("tests.command", **{"allow": ["cat"], **options})

    assert raised.value.field == field


def test_programs_and_folders_that_are_not_here_are_warnings() -> None:
    register(Command("tests.command", allow=["no-such-program", "cat"], root="/nowhere"))

    assert [one.msg for one in check_programs(None)] == [
        "Jobs of 'tests.command' can't run here: there is no folder /nowhere.",
        "Jobs of 'tests.command' can't run here: there is no program no-such-program.",
    ]
