"""The kinds that `children` measures, imported for it alone: a pool starts with its process."""

import sys

from benchmarks.jobs import real
from forge_jobs import job, register
from forge_jobs.handlers import Command, SubprocessPool

LINES = """\
import json, sys
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "status": "ok"}), flush=True)
"""
SHELL = """while IFS= read -r job; do echo '{"status": "ok"}'; done"""
COUNT = {"size": 4, "max_concurrent_per_process": None}

python = register(SubprocessPool("bench.python", [sys.executable, "-S", "-c", LINES], **COUNT))
shell = register(SubprocessPool("bench.shell", ["sh", "-c", SHELL], **COUNT))
each = register(Command("bench.command", allow=[sys.executable, "sh"]))


@job(kind="bench.thread")
def thread() -> None: ...


@job(kind="bench.real_apart", isolation="process")
def real_apart(pk: int) -> None:
    real(pk)


@job(kind="bench.compute")
def compute() -> int:
    """Holds the interpreter's lock for some 5 ms."""
    return sum(number * number for number in range(60_000))


@job(kind="bench.compute_apart", isolation="process")
def compute_apart() -> int:
    return compute()
