"""What processes cost that have nothing to do: transactions, sessions and processor time."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg

from benchmarks.contestants import PICKUP, entered
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options
from benchmarks.processes import run, running
from benchmarks.report import Limit, Measured

PROCESSES = (1, 3)
SETTLING_SECONDS = 25
SECONDS = 20
TRANSACTIONS = {1: 3.0, 3: 6.0}
SESSIONS = {1: 4.0, 3: 12.0}
CPU = {"postgresql": 0.4, "sqlite": 0.6}

COMMITTED = """
SELECT xact_commit + xact_rollback, numbackends
FROM pg_stat_database
WHERE datname = %s
"""


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    (entry,) = [one for one in entered(PICKUP, database=server.name) if one.name == "forge_jobs"]
    for processes in PROCESSES:
        named = f"at rest, {processes} of {server.name}"
        cpu = Measured(f"processor of each {named}", "%", [Limit(CPU[server.name])])
        rate = Measured(f"transactions {named}", "/s", [Limit(TRANSACTIONS[processes])])
        sessions = Measured(f"sessions {named}", "", [Limit(SESSIONS[processes])])
        for _ in range(options.rounds):
            with server.fresh() as url, ExitStack() as stack:
                run(entry, "prepare", url=url)
                idle = [
                    stack.enter_context(running(entry, "drain", 1, url=url))
                    for _ in range(processes)
                ]
                idle[0].cpu_percent(seconds=SETTLING_SECONDS)
                before, used = committed(server, url), [one.cpu_seconds() for one in idle]
                idle[0].cpu_percent(seconds=SECONDS)
                after = committed(server, url)
                for one, earlier in zip(idle, used, strict=True):
                    cpu.add(entry.name, 100 * (one.cpu_seconds() - earlier) / SECONDS)
                rate.add(entry.name, (after[0] - before[0]) / SECONDS)
                sessions.add(entry.name, after[1])
        yield cpu
        if isinstance(server, PostgreSQL):
            yield rate
            yield sessions


def committed(server: PostgreSQL | Sqlite, url: str) -> tuple[float, float]:
    """How many transactions there were so far, and how many sessions there are."""
    if not isinstance(server, PostgreSQL):
        return 0.0, 0.0
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    return server.admin.execute(COMMITTED, [name]).fetchone()
