"""The least that a queue in SQLite could do: one thread claims, calls and settles, by the hundred.

It looks after nothing: no session is made as new, no failure is kept, no other process may take
part, and nobody is told of anything. What is left is what a job costs beside its handler in any
queue.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Sequence

GROUP = 100

TABLE = """
CREATE TABLE bare (id integer PRIMARY KEY, state text, payload text, started real, finished real);
CREATE INDEX bare_ready ON bare (id) WHERE state = 'ready';
CREATE INDEX bare_finished ON bare (state, finished);
"""

CLAIM = """
UPDATE bare SET state = 'running', started = ?
WHERE id IN (SELECT id FROM bare WHERE state = 'ready' ORDER BY id LIMIT ?)
RETURNING id, payload
"""

SETTLE = "UPDATE bare SET state = 'succeeded', finished = ? WHERE id = ? AND state = 'running'"


def drain(path: str, handler: Callable[..., object], payloads: Sequence[dict[str, int]]) -> float:
    """Jobs a second."""
    session = sqlite3.connect(path, isolation_level=None, timeout=30)
    session.execute("PRAGMA synchronous = normal")
    session.executescript(TABLE)
    jobs = [(json.dumps(payload),) for payload in payloads]
    session.execute("BEGIN")
    session.executemany("INSERT INTO bare (state, payload) VALUES ('ready', ?)", jobs)
    session.execute("COMMIT")
    began = time.perf_counter()
    while claimed := session.execute(CLAIM, (time.time(), GROUP)).fetchall():
        settled = []
        for number, payload in claimed:
            handler(**json.loads(payload))
            settled.append((time.time(), number))
        session.execute("BEGIN IMMEDIATE")
        session.executemany(SETTLE, settled)
        session.execute("COMMIT")
    seconds = time.perf_counter() - began
    session.close()
    return len(jobs) / seconds
