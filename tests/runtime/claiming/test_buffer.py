"""The buffer between the fetcher and the workers, who all change it at the same time."""

from queue import SimpleQueue

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming.buffer import UNWANTED, Buffer
from forge_jobs.runtime.claiming.desk import Desk
from forge_jobs.runtime.claiming.rings import ROOM
from forge_jobs.wake.local import Bell
from tests.conftest import NOON

JOB = ClaimedJob(1, "default", "app.noop", "{}", "{}", 0, NOON, 1, 5, None)


class Overtaken(SimpleQueue[ClaimedJob | Desk | None]):
    """While one worker looks how much is left, another has rung the bell already."""

    buffer: Buffer

    def qsize(self) -> int:
        self.buffer.wanted_at = UNWANTED
        return super().qsize()


def test_a_worker_that_is_overtaken_by_another_gets_its_job() -> None:
    buffer = Buffer(Bell(), doors={}, queues={}, release=lambda job: None)
    buffer._jobs = overtaken = Overtaken()
    overtaken.buffer = buffer
    buffer.wanted_at = 4
    buffer.put(JOB)

    assert buffer.take() is JOB


def test_the_bell_is_rung_once_when_too_little_is_left() -> None:
    bell = Bell()
    buffer = Buffer(bell, doors={}, queues={}, release=lambda job: None)
    for _ in range(3):
        buffer.put(JOB)
    buffer.wanted_at = 2

    buffer.take()
    assert not bell.wait(0.0)
    buffer.take()
    buffer.take()
    assert bell.wait(0.0) == {ROOM: 1}
    assert buffer.wanted_at == UNWANTED
