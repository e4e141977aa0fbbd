"""Two web processes look while jobs end, leaders sum up and prune: no count ever falls."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier, Event, Lock, Thread

import pytest
from django.db import connections

from forge_jobs import db
from forge_jobs.dashboard.counted import Counted
from forge_jobs.services.meter import Meter
from forge_jobs.services.thinner import Thinner
from tests.conftest import NOON
from tests.measured import histogram, sample
from tests.running import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOON + timedelta(days=60)
RUNS = 60
KINDS = ("app.a", "app.b", "app.c", "app.d")


class Floor:
    """What anybody has seen; whoever looks later must see as much."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.seen: dict[object, int] = {}

    def look(self) -> None:
        with self.lock:
            before = dict(self.seen)
        counted = Counted.read()
        now: dict[object, int] = {
            (*work, name): count
            for work, each in counted.counts.items()
            for name, count in each.items()
        }
        now |= {work: len(times) for work, times in counted.run_times.items()}
        now |= {queue: len(waits) for queue, waits in counted.waits.items()}
        fallen = {
            what: (before[what], now[what])
            for what in before.keys() & now
            if now[what] < before[what]
        }
        assert not fallen
        with self.lock:
            for what, count in now.items():
                self.seen[what] = max(count, self.seen.get(what, 0))


def run(kind: str) -> None:
    sample(kind=kind, succeeded=1, seconds=(1.0,), wait=histogram(1.0))


@pytest.mark.parametrize("room", [100, 2])
def test_no_count_falls_while_jobs_end_and_leaders_sum_up(
    monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    for place in ("forge_jobs.models.metric_total.MOST", "forge_jobs.dashboard.counted.MOST"):
        monkeypatch.setattr(place, room)
    floor, start, is_over, errors = Floor(), Barrier(5), Event(), list[BaseException]()

    def work() -> None:
        for number in range(RUNS):
            db.unless_locked(partial(run, KINDS[number * len(KINDS) // RUNS]))
        is_over.set()

    def until_over(act: Callable[[], object]) -> Callable[[], None]:
        def again_and_again() -> None:
            while not is_over.is_set():
                act()

        return again_and_again

    def lead() -> None:
        Meter().run_once(now=LATER)
        Thinner().run_once(now=LATER)

    def racing(act: Callable[[], None]) -> None:
        try:
            start.wait(PATIENCE)
            act()
        except BaseException as error:
            errors.append(error)
            is_over.set()
        finally:
            connections.close_all()

    acts = [work, *[until_over(lead)] * 2, *[until_over(floor.look)] * 2]
    racers = [Thread(target=racing, args=[act]) for act in acts]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(PATIENCE)
    assert not any(racer.is_alive() for racer in racers)
    assert not errors
    lead()
    floor.look()

    assert sum(each["succeeded"] for each in Counted.read().counts.values()) == RUNS
