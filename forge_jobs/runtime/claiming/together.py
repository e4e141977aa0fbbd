"""Claims from many queues at once, for one after the other costs a commit each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from forge_jobs import clock
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, Process
from forge_jobs.runtime.claiming.lane import CHEAP_SECONDS, Lane, until_next_look

MOST_TOGETHER: Final = 100
"""Lanes of one claim: as many as may be in vain."""

JOB_SECONDS: Final = 0.0001
"""What a job may add to the time that a look at fronts takes if that is cheap."""


def claim_together(lanes: Sequence[Lane], limit: int, *, process: Process) -> list[ClaimedJob]:
    """Take up to `limit` jobs from the fronts of lanes of the same kinds: all of one, then others.

    Which of the lanes was dear can't be told: then each goes on alone, from where this stopped.
    """
    began = time.monotonic()
    claimed = Job.objects.claim_among(
        queues=[lane.queue for lane in lanes],
        kinds=lanes[0].kinds,
        limit=limit,
        process=process,
        now=clock.now(),
    )
    took = time.monotonic() - began
    is_dear = took > CHEAP_SECONDS + JOB_SECONDS * len(claimed)
    next_look_at = until_next_look(began, took) if is_dear else 0.0
    jobs: dict[str, list[ClaimedJob]] = defaultdict(list)
    for job in claimed:
        jobs[job.queue].append(job)
    last = claimed[-1].queue if len(claimed) == limit else None
    for lane in lanes:
        lane.was_claimed_from(
            jobs[lane.queue], limit=limit, is_empty=lane.queue != last, next_look_at=next_look_at
        )
        if lane.queue == last:
            break
    return claimed
