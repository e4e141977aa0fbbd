"""What sets of jobs cost: a batch beside plain jobs, `after=` beside none, and letting many go."""

from collections.abc import Iterator

from benchmarks.control import perform
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.report import OURS, Limit, Measured, Ratio

DRAINED = 50_000
FOLLOWERS = 10_000
DEAR = 40_000


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    batch = Measured(
        f"drain of a batch of {DRAINED:,} no-op jobs by 3 processes, {server.name}",
        "jobs/s",
        [Ratio("plain", 0.85)],
    )
    one = Measured(f"enqueue_many behind one job, {server.name}", "jobs/s", [Ratio("plain", 0.7)])
    each = Measured(
        f"enqueue_many, each behind another, {server.name}", "jobs/s", [Ratio("plain", 0.4)]
    )
    release = Measured(
        f"{FOLLOWERS:,} followers of one job let go, {server.name}", "ms", [Limit(1_000)]
    )
    chunks = Measured(f"no-op jobs in chunks of 64, {server.name}", "jobs/s", [Ratio("plain", 1.3)])
    dear = Measured(
        f"chunks of 64 whose calls cost 1 ms, one thread, {server.name}",
        "jobs/s",
        [Ratio("one by one", 20)],
    )
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        for measured, word in ((one, "one"), (each, "each")):
            measured.add(OURS, perform(server, "enqueue", word, program="sets_run"))
            measured.add("plain", perform(server, "enqueue", "plain", program="sets_run"))
        release.add(OURS, perform(server, "release", FOLLOWERS, program="sets_run"))
        batch.add(OURS, perform(server, "drain", "batch", DRAINED, program="sets_run"))
        batch.add("plain", perform(server, "drain", "plain", DRAINED, program="sets_run"))
        chunks.add(OURS, perform(server, "pace", "chunked", DRAINED, program="sets_run"))
        chunks.add("plain", perform(server, "pace", "noop", DRAINED, program="sets_run"))
        dear.add(OURS, perform(server, "pace", "dear_chunked", DEAR, program="sets_run"))
        dear.add("one by one", perform(server, "pace", "dear", DEAR // 20, program="sets_run"))
    progress("")
    yield from (batch, one, each, release, chunks, dear)
