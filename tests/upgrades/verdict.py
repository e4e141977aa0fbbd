"""What is wrong with the jobs of the shop, by their rows and by the ledger of their runs."""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

from tests.faults.at_size.ledger import Ledger
from tests.faults.elsewhere import Elsewhere

UNFINISHED: Final = "kind <> 'shop.beat' AND state NOT IN ('succeeded', 'dead', 'cancelled')"
ORDERED: Final = """
SELECT payload, kind, state FROM forge_jobs_job WHERE kind NOT IN ('shop.beat', 'shop.packed')
"""
ENDS: Final = {"shop.dying": "dead"}
RUNS: Final = {"shop.recovering": 2, "shop.charging": 2}
EACH_SECONDS: Final = 1


def faults(project: Elsewhere, ledger: Ledger, *, accepted: Iterable[int]) -> list[str]:
    """A line for each: what an order came to, and what the schedule did."""
    ordered: dict[int, tuple[str, str]] = {}
    found = []
    for payload, kind, state in project.ask(ORDERED):
        number = _loaded(payload)["number"]
        if number in ordered:
            found.append(f"#{number}: two jobs")
        ordered[number] = (kind, state)
    runs = Counter(entry.number for entry in ledger.entries("begun"))
    for number, (kind, state) in ordered.items():
        if state != ENDS.get(kind, "succeeded"):
            found.append(f"#{number}: {kind} ended {state}")
        if runs[number] != RUNS.get(kind, 1):
            found.append(f"#{number}: {kind} ran {runs[number]} times")
    found += [f"#{number}: accepted, and lost" for number in set(accepted) - ordered.keys()]
    return [*found, *_of_steps(ledger), *_of_keys(ledger), *_of_the_schedule(ledger)]


def _of_steps(ledger: Ledger) -> list[str]:
    """What one attempt has stored the next one, maybe of the other release, does not do again."""
    charged = Counter(entry.number for entry in ledger.entries("charged"))
    return [f"#{number}: charged {times} times" for number, times in charged.items() if times > 1]


def _of_keys(ledger: Ledger) -> list[str]:
    """Two jobs of a key never run at once."""
    moments = [(entry.at, 1, entry.number) for entry in ledger.entries("holds")]
    moments += [(entry.at, -1, entry.number) for entry in ledger.entries("frees")]
    running: Counter[int] = Counter()
    found = []
    for _, step, number in sorted(moments):
        running[number % 2] += step
        if running[number % 2] > 1:
            found.append(f"#{number}: its key was held by another")
    return found


def _of_the_schedule(ledger: Ledger) -> list[str]:
    """Each moment has one job."""
    due = sorted(entry.number for entry in ledger.entries("due"))
    gaps = {later - earlier for earlier, later in pairwise(due)}
    return [f"between the schedule's moments there are {gaps} s"] if gaps != {EACH_SECONDS} else []


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
