"""Lets one contestant do one thing in a process of its own, and reports how long it took."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from statistics import median

from benchmarks.contestants import ENTRIES
from benchmarks.contestants.base import Contestant
from benchmarks.meter import METER, WARM_UP, announce

CHUNK = 10_000
SENT_A_SECOND = 50
PASSES = 20


def main(name: str, verb: str, number: str = "0") -> None:
    os.dup2(2, 1)  # standard output is for reports only
    (entry,) = [entry for entry in ENTRIES if entry.name == name]
    program = import_module(f"benchmarks.contestants.{entry.program}")
    seconds = perform(program.contestant(entry.variant), verb, int(number))
    announce({"jobs": int(number), "seconds": seconds})


def perform(contestant: Contestant, verb: str, number: int) -> float:
    """Returns the seconds that it took."""
    match verb:
        case "prepare":
            return timed(contestant.prepare)
        case "load":
            return timed(lambda: in_chunks(contestant.enqueue_many, number))
        case "load-future":
            return timed(lambda: in_chunks(contestant.enqueue_future, number))
        case "drain":
            METER.expect(number, unfinished=contestant.unfinished)
            return timed(contestant.work)
        case "drain-by-two":
            return timed(lambda: by_two(contestant))
        case "send":
            return timed(lambda: contestant.enqueue_each(paced(number)))
        case "load-hourly-schedules":
            return timed(lambda: contestant.add_hourly_schedules(number))
        case "load-yearly-schedules":
            return timed(lambda: contestant.add_yearly_schedules(number))
        case "plan":
            return timed(contestant.plan_all)
        case "pass":
            contestant.look_for_due()
            return median(timed(contestant.look_for_due) for _ in range(PASSES))
        case "fire":
            return timed(contestant.fire_all)
        case "enqueue-each":
            contestant.enqueue_each(at_once(WARM_UP))
            return timed(lambda: contestant.enqueue_each(at_once(number)))
        case "enqueue-many":
            contestant.enqueue_many(WARM_UP)
            return timed(lambda: contestant.enqueue_many(number))
        case unknown:
            raise ValueError(unknown)


def timed(action: Callable[[], None]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def by_two(contestant: Contestant) -> None:
    """Let two forked processes work until nothing is left."""
    pids = [os.fork() or contestant.work() for _ in range(2)]
    while contestant.unfinished():
        time.sleep(0.01)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def in_chunks(enqueue: Callable[[int], None], count: int) -> None:
    for done in range(0, count, CHUNK):
        enqueue(min(CHUNK, count - done))


def paced(count: int) -> Iterator[int]:
    begin = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, begin + number / SENT_A_SECOND - time.perf_counter()))
        yield time.time_ns()


def at_once(count: int) -> Iterator[int]:
    for _ in range(count):
        yield time.time_ns()


main(*sys.argv[1:])
