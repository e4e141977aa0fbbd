"""How SQLite goes about what some code asks of it."""

import re
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

WALK = re.compile(r"SCAN (forge_jobs_job|U\d+)$")


def walks(look: Callable[[], object]) -> list[str]:
    """The queries of `look` that read the whole job table, each with its plan."""
    with CaptureQueriesContext(connection) as queries:
        look()
    assert queries.captured_queries, "there was nothing to explain"
    found = []
    for query in queries.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = [str(row[-1]) for row in cursor.fetchall()]
        if any(WALK.match(step) for step in plan):
            found.append(f"{query['sql']}\n{plan}")
    return found
