"""Takes the primary from the cluster, three times in a row, while visitors order."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
STATE: Final = Path(os.environ.get("CLUSTER_STATE", "/var/tmp/forge_jobs-cluster"))
LEDGER: Final = STATE / "ledger"

PER_SECOND: Final = 200
CALM_SECONDS: Final = 10
PATIENCE: Final = 120.0
WORKERS_RESUME_WITHIN: Final = 10.0
POOLER_PORT: Final = "6432"
FOLLOWED: Final = """
SELECT count(*), count(*) FILTER (WHERE sync_state = 'sync')
FROM pg_stat_replication WHERE state = 'streaming'
"""
"""Asked of a primary: Patroni takes a host that is still being rewound for one that runs."""


def main() -> None:
    LEDGER.touch()
    with visitors():
        until(lambda: len(ran()) > PER_SECOND)
        slowest = max(fail_over(fault) for fault in ("kill", "cut", "kill"))
    until(lambda: accepted() <= ran().keys())
    repeated = sum(times > 1 for times in ran().values())
    refused = len(numbers("refused"))
    lost = len(accepted() - ran().keys())
    print(f"{len(accepted()):,} jobs accepted: {lost} lost, {repeated} run twice")
    print(f"{refused:,} enqueues refused while there was no primary")
    assert slowest <= WORKERS_RESUME_WITHIN, f"workers took {slowest:.1f} s"


@contextmanager
def visitors() -> Iterator[None]:
    """They come through the poolers, as web processes do."""
    process = subprocess.Popen(
        [sys.executable, "-m", "shop.visitors", str(PER_SECOND)],
        cwd=HERE,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "SHOP_DATABASE_PORT": POOLER_PORT,
            "SHOP_LEDGER": str(LEDGER),
        },
        stdin=subprocess.PIPE,
    )
    try:
        yield
        process.communicate(timeout=PATIENCE)
    finally:
        process.kill()


def fail_over(fault: str) -> float:
    """After how many seconds of a new primary the workers ran something again."""
    old = cluster("primary")
    began = time.monotonic()
    cluster(fault, old)
    until(lambda: cluster("primary") not in ("", old))
    promoted = time.monotonic()
    new = cluster("primary")
    ask(new, "CREATE TABLE written_by_somebody (); DROP TABLE written_by_somebody")
    committed = time.monotonic()
    until(lambda: bool(times("ran", since=promoted)))
    resumed = times("ran", since=promoted)[0] - promoted
    until(lambda: bool(times("accepted", since=promoted)))
    fenced = "" if fault == "kill" else f", {old} lets nobody write"
    assert not fenced or refuses_writes(old)
    print(f"{fault} {old}: {new} is the primary after {promoted - began:.1f} s, ", end="")
    print(f"has a standby to commit with {committed - promoted:.1f} s later, ", end="")
    print(f"and workers run {resumed:.1f} s after it became the primary{fenced}", flush=True)
    time.sleep(CALM_SECONDS)
    cluster("heal", old)
    until(lambda: ask(new, FOLLOWED) == "2|1")
    return resumed


def refuses_writes(host: str) -> bool:
    """Asked on the host itself, for nobody else can reach it."""
    within = ["ip", "netns", "exec", f"fjc-{host}"]
    asked = psql(host, "CREATE TABLE written_by_nobody ()")
    return subprocess.run([*within, *asked], capture_output=True).returncode != 0


def ask(host: str, statement: str) -> str:
    """What its server answers; nothing if it does not."""
    asked = psql(host, statement)
    return subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()


def psql(host: str, statement: str) -> list[str]:
    address = f"10.78.0.{host.removeprefix('db')}"
    return ["psql", "-h", address, "-U", "postgres", "-Atc", statement, "shop"]


def cluster(*words: str) -> str:
    """What the script prints."""
    command = [str(HERE / "cluster"), *words]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true in {PATIENCE:.0f} s"
        time.sleep(0.2)


def entries() -> Iterator[tuple[str, int, float]]:
    for line in LEDGER.read_text().splitlines():
        word, number, at = line.split()
        yield word, int(number), float(at)


def numbers(word: str) -> list[int]:
    return [number for each, number, _ in entries() if each == word]


def times(word: str, *, since: float) -> list[float]:
    return [at for each, _, at in entries() if each == word and at > since]


def accepted() -> set[int]:
    return set(numbers("accepted"))


def ran() -> Counter[int]:
    return Counter(numbers("ran"))


if __name__ == "__main__":
    main()
