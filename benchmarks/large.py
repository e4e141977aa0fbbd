"""Whether a table of ten million finished jobs and a million future ones slows anything down.

Not among what `python -m benchmarks` measures by itself: filling the table takes long.
"""

from collections.abc import Iterator

from benchmarks import pages
from benchmarks.control import perform
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.report import OURS, Measured, Ratio

DRAINED = 100_000
AT_REST, BESIDE = 20_000, 5_000


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    rows = options.jobs
    table = f"{rows:,} finished jobs and {rows // 10:,} future ones, {server.name}"
    drained = Measured(f"drain beside {table}", "jobs/s", [Ratio("empty_table", 0.8)])
    pruned = Measured(f"pruner, a tenth of {table}", "rows/s", [Ratio("wanted", 1.0)])
    beside = Measured(f"pruner beside a drain, {table}", "rows/s", [Ratio("wanted", 1.0)])
    slowed = Measured(f"drain beside the pruner, {table}", "jobs/s", [Ratio("without", 0.9)])
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        empty = perform(server, 0, DRAINED, program="large_run")
        found = perform(server, rows, DRAINED, program="large_run")
        drained.add(OURS, found["drained"])
        drained.add("empty_table", empty["drained"])
        slowed.add(OURS, found["drained_beside"])
        slowed.add("without", found["drained_after"])
        for measured, name, wanted in ((pruned, "pruned", AT_REST), (beside, "beside", BESIDE)):
            measured.add(OURS, found[name])
            measured.add("wanted", wanted)
    progress("")
    yield from (drained, pruned, beside, slowed)
    yield from pages.measure(server, options, jobs=rows)
