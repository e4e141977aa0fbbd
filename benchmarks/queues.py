"""What many queues cost: a process that serves 1,000 of them, at rest and draining all."""

from collections.abc import Iterator

from benchmarks.control import perform
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.report import OURS, Limit, Measured, Ratio

QUEUES = 1_000
EACH = 20
CPU, TRANSACTIONS, START_MS = 3, 10, 50


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    many = {"BENCHMARK_QUEUES": str(QUEUES)}
    drained = Measured(
        f"drain of {QUEUES:,} queues with {EACH} jobs each, {server.name}",
        "jobs/s",
        [Ratio("one_queue", 0.4)],
    )
    cpu = Measured(f"{QUEUES:,} queues at rest, processor, {server.name}", "%", [Limit(CPU)])
    rate = Measured(
        f"{QUEUES:,} queues at rest, transactions, {server.name}", "/s", [Limit(TRANSACTIONS)]
    )
    start = Measured(
        f"{QUEUES:,} queues at rest, from enqueue to start, {server.name}", "ms", [Limit(START_MS)]
    )
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        jobs = QUEUES * EACH
        drained.add(OURS, perform(server, "drain", jobs, QUEUES, program="queues_run", **many))
        drained.add("one_queue", perform(server, "drain", jobs, 0, program="queues_run"))
        found = perform(server, "rest", program="queues_run", **many)
        for measured, name in ((cpu, "cpu"), (rate, "transactions"), (start, "start_ms")):
            measured.add(OURS, found[name])
    progress("")
    yield from (drained, cpu, start)
    if isinstance(server, PostgreSQL):
        yield rate
