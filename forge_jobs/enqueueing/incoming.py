"""New jobs on their way in, as middleware sees them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from forge_jobs.db.rows import NewRow
from forge_jobs.enqueueing.draft import context_text
from forge_jobs.handlers import middleware
from forge_jobs.handlers.middleware import Incoming


def seen(rows: Sequence[NewRow]) -> Sequence[NewRow]:
    """The rows with what middleware has put into their contexts; raises what that raises.

    Raises `InvalidPayload` for a context that can't be stored.
    """
    if not (rows and (functions := middleware.installed().sees)):
        return rows
    jobs = [
        Incoming(row.kind, row.queue, json.loads(row.payload), json.loads(row.context))
        for row in rows
    ]
    for function in functions:
        function(jobs)
    pairs = zip(rows, jobs, strict=True)
    return [row._replace(context=context_text(job.context)) for row, job in pairs]
