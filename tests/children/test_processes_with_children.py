"""The children of real processes: all outcomes right, and nobody left behind, however it ends."""

import random
from typing import Any

import psutil
import pytest

from forge_jobs.models import Job, State
from tests.children.jobs import tortured
from tests.running import PATIENCE, Runjobs, eventually
from tests.sizes import sized

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

SIZE = 4
Payload = dict[str, Any]
GOOD: list[tuple[Payload, State]] = [
    ({"do": "echo"}, State.SUCCEEDED),
    ({"do": "answer without id"}, State.SUCCEEDED),
    ({"do": "tell"}, State.SUCCEEDED),
    ({"do": "say", "text": '{"id": ID, "status": "dead"}'}, State.DEAD),
    ({"do": "say", "text": '{"id": ID, "status": "error"}'}, State.DEAD),
    ({"do": "say", "text": '{"id": ID, "status": "cancelled"}'}, State.CANCELLED),
    ({"do": "say", "text": '{"status": "snoozed", "retry_after_secs": 5000}'}, State.SCHEDULED),
]
BAD: list[tuple[Payload, State]] = [
    ({"do": "exit", "code": 1}, State.DEAD),
    ({"do": "abort"}, State.DEAD),
    ({"do": "half a line"}, State.DEAD),
    ({"do": "say", "text": '{"id": -1, "status": "ok"}'}, State.DEAD),
    ({"do": "say bytes", "hex": "ff0a"}, State.DEAD),
    ({"do": "answer twice"}, State.SUCCEEDED),
    ({"do": "answer and begin another"}, State.SUCCEEDED),
    ({"do": "grandchild"}, State.SUCCEEDED),
    ({"do": "grandchild, then exit"}, State.DEAD),
]
HUNG: list[tuple[Payload, State]] = [
    ({"do": "hang"}, State.DEAD),
    ({"do": "ignore signals"}, State.DEAD),
    ({"do": "stop"}, State.DEAD),
    ({"do": "close stdout"}, State.DEAD),  # which a grandchild of an earlier job may keep open
]


def runjobs(*arguments: str, imports: str = "tests.children.jobs") -> Runjobs:
    return Runjobs("--threads", str(SIZE), *arguments, FORGE_JOBS_TEST_IMPORTS=imports)


def offspring(pid: int) -> set[psutil.Process]:
    return {*psutil.Process(pid).children(recursive=True)}


def are_gone(processes: set[psutil.Process]) -> bool:
    return not any(process.is_running() for process in processes)


def is_drained() -> bool:
    return not Job.objects.filter(state__in=[State.READY, State.RUNNING]).exists()


def begun(number: int) -> bool:
    return Job.objects.filter(state=State.RUNNING).count() == number


@pytest.mark.timeout(1_000)
def test_of_all_that_children_do_each_job_comes_to_what_it_should() -> None:
    chance = random.Random(20)
    many = sized(200, full=9_900)
    chosen = chance.choices(GOOD, k=many - many // 10) + chance.choices(BAD, k=many // 10)
    chosen += HUNG * sized(2, full=30)
    chance.shuffle(chosen)
    for payload, state in chosen:
        options: Any = {"timeout": 0.5} if payload in [hung for hung, _ in HUNG] else {}
        tortured.using(context={"state": state}, **options).enqueue(**payload)

    with runjobs("--drain") as running:
        eventually(is_drained, patience=sized(3 * PATIENCE, full=15 * PATIENCE))
        code, output = running.wait()

    wrong = [
        (job.payload, job.state, job.last_error)
        for job in Job.objects.all()
        if job.state != job.context["state"]
    ]
    assert wrong == []
    assert code == 3, output  # dead letters, but nothing else


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
def test_nobody_is_left_where_runjobs_is_killed(processes: tuple[str, ...]) -> None:
    tortured.enqueue_many([{"do": "grandchild"}] * 2 + [{"do": "ignore signals"}] * 2)
    with runjobs("--shutdown-timeout", "1", *processes) as running:
        eventually(lambda: begun(2) and Job.objects.filter(state=State.SUCCEEDED).count() == 2)
        everybody = offspring(running.process.pid)

        running.kill()

        eventually(lambda: are_gone(everybody))
    assert len(everybody) >= SIZE + 2


def test_nobody_is_left_where_a_supervised_process_is_killed_and_another_takes_its_place() -> None:
    with runjobs("--processes", "1") as running:
        eventually(lambda: "wake" in running.output)
        (process,) = psutil.Process(running.process.pid).children()
        before = offspring(process.pid)

        process.kill()

        eventually(lambda: are_gone(before))
        tortured.enqueue(do="echo")
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).exists())
        running.terminate()
        assert running.wait()[0] == 0
    assert len(before) > SIZE


def test_nobody_is_left_after_an_orderly_end_and_what_ran_is_given_back() -> None:
    tortured.enqueue_many([{"do": "ignore signals"}] * 2)
    with runjobs("--shutdown-timeout", "0.1") as running:
        eventually(lambda: begun(2))
        everybody = offspring(running.process.pid)

        running.terminate()

        assert running.wait()[0] == 0
        assert are_gone(everybody)
    assert [*Job.objects.values_list("state", "attempt")] == [(State.READY, 0)] * 2


def test_a_kill_ends_what_no_exception_reaches_and_the_next_job_runs() -> None:
    job = tortured.enqueue(do="ignore signals")
    with runjobs() as running:
        eventually(lambda: begun(1))

        job.kill("it spins")

        eventually(lambda: Job.objects.get(pk=job.pk).state == State.CANCELLED)
        tortured.enqueue(do="echo")
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).exists())
        running.terminate()
        assert running.wait()[0] == 0


def test_a_guard_that_somebody_has_killed_is_replaced_with_the_next_child() -> None:
    with runjobs() as running:
        eventually(lambda: "wake" in running.output)
        for process in offspring(running.process.pid):
            if "guard.py" in " ".join(process.cmdline()):
                process.kill()
        tortured.enqueue(do="exit", code=1)
        tortured.enqueue(do="echo")
        eventually(lambda: not Job.objects.unfinished().exists())
        everybody = offspring(running.process.pid)

        running.kill()

        eventually(lambda: are_gone(everybody))


def test_a_pool_whose_program_is_not_there_keeps_its_process_from_starting() -> None:
    with runjobs(imports="tests.children.broken") as running:
        code, output = running.wait()

    assert code == 1
    assert "No child of tests.broken can be started: " in output
    assert "'/nowhere/at-all'" in output
