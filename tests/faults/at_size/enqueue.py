"""Enqueues the jobs of some numbers, a few in each transaction, and tells the ledger of each."""

import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Final

import django

from tests.faults.at_size.ledger import write

FEW: Final = 50
EACH_SECONDS: Final = 2
"""How often the schedule is due."""


def main(store: Callable[[range], object], numbers: range, *, pause: float) -> None:
    """`pause` is between two transactions, in seconds."""
    from django.db import Error, connection

    for first in range(numbers.start, numbers.stop, FEW):
        few = range(first, min(numbers.stop, first + FEW))
        _tell("offered", few)
        try:
            store(few)
        except Error:
            connection.close()
        else:
            _tell("accepted", few)
        time.sleep(pause)


def store_mixed(numbers: range, *, seed: int, seconds: float) -> None:
    """Jobs of all kinds: which, and how long they take, are up to the seed."""
    from django.db import transaction

    from tests.faults.at_size import jobs

    often = [jobs.plain, jobs.asking, jobs.exactly_once, jobs.keyed, jobs.limited]
    deck = [*often, *often, *often, jobs.failing, jobs.recovering, jobs.delayed]
    drawn = defaultdict(list)
    for number in numbers:
        chance = random.Random(f"{seed} {number}")
        payload = {"number": number, "seconds": chance.uniform(0, 2 * seconds)}
        drawn[chance.choice(deck)].append(payload)
    with transaction.atomic():
        for handler, payloads in drawn.items():
            delay = 1_800 if handler is jobs.delayed else 0
            handler.using(delay=delay).enqueue_many(payloads)


def store_probes(numbers: range, *, queue: str) -> None:
    from tests.faults.at_size.jobs import probe

    probe.using(queue=queue).enqueue_many([{"number": number} for number in numbers])


def _tell(word: str, numbers: range) -> None:
    for number in numbers:
        write(word, number)


if __name__ == "__main__":
    django.setup()
    what, seed, begin, end, seconds, pause, queue = sys.argv[1:]
    store = {
        "mixed": partial(store_mixed, seed=int(seed), seconds=float(seconds)),
        "probe": partial(store_probes, queue=queue),
    }[what]
    main(store, range(int(begin), int(end)), pause=float(pause))
