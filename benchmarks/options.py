"""What a run was asked to do, and the order of its rounds."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.contestants import Entry

FEWEST = 500


@dataclass(frozen=True)
class Options:
    rounds: int
    jobs: int
    only: frozenset[str]

    def share(self, entry: Entry) -> int:
        """How many jobs a contestant gets: a multiple of 100, so that no batch is left short."""
        return max(FEWEST, int(round(self.jobs * entry.share, -2)))

    def rounds_of(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        """Everybody once, then everybody again: what disturbs the machine disturbs all alike."""
        for turn in range(self.rounds):
            for entry in entries:
                progress(f"  round {turn + 1} of {self.rounds}: {entry.name}")
                yield entry
        progress("")


def progress(text: str) -> None:
    print(f"{text:60}", end="\r", file=sys.stderr, flush=True)
