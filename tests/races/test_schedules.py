"""Several leaders at once: each due moment makes one job, whoever makes it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from forge_jobs.clock import ManualClock
from forge_jobs.conf.policies import Overlap
from forge_jobs.models import Job, Schedule
from forge_jobs.services.scheduler import Scheduler
from tests.conftest import NOON
from tests.planned import MINUTE, due_moments, planned_schedule
from tests.running import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

LEADERS = 3
ROUNDS = 10


def test_three_leaders_make_one_job_for_each_due_moment(manual_clock: ManualClock) -> None:
    for name in ("a", "b"):
        planned_schedule(name=name, overlap=Overlap.QUEUE)
    moments = [NOON + minutes * MINUTE for minutes in range(1, ROUNDS + 1)]
    together = Barrier(LEADERS)

    def lead(number: int) -> int:
        fired = 0
        scheduler = Scheduler()
        try:
            for moment in moments:
                together.wait(PATIENCE)
                manual_clock.current = moment
                fired += scheduler.run_once(now=moment)
        finally:
            connections.close_all()
        return fired

    with ThreadPoolExecutor(LEADERS) as pool:
        fired = sum(pool.map(lead, range(LEADERS)))

    assert Counter(due_moments()) == dict.fromkeys(moments, 2)
    assert fired == Job.objects.count() == 2 * ROUNDS


def test_leaders_that_begin_at_once_plan_a_new_schedule_once(manual_clock: ManualClock) -> None:
    planned_schedule(next_fire_at=None)
    together = Barrier(LEADERS)

    def lead(number: int) -> int:
        try:
            together.wait(PATIENCE)
            return Scheduler().run_once(now=NOON)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(LEADERS) as pool:
        assert sum(pool.map(lead, range(LEADERS))) == 1
    assert Schedule.objects.get().next_fire_at == NOON + MINUTE
