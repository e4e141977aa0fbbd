"""New jobs on their way in, as middleware sees them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

from forge_jobs.db.rows import NewRow
from forge_jobs.enqueueing.options import context_text
from forge_jobs.handlers import middleware
from forge_jobs.handlers.middleware import Incoming, Sees
from forge_jobs.wording import quoted


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
        _show(jobs, function)
    pairs = zip(rows, jobs, strict=True)
    return [row._replace(context=context_text(job.context)) for row, job in pairs]


def _show(jobs: Sequence[Incoming], function: Sees) -> None:
    """A list of its own, which it may sort without giving one job the context of another."""
    shown = list(jobs)
    function(shown)
    if len(shown) != len(jobs):
        raise ImproperlyConfigured(
            f"{quoted(function)} changed the list of new jobs: it can put something into their "
            f"contexts, but neither add jobs nor take some away."
        )
