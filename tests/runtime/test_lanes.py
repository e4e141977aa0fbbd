"""Queues take turns, as often as their weights say, and none starves."""

from forge_jobs.runtime.lane import Lane, take_turn


def turns(count: int, **weights: int) -> list[str]:
    """Which queues are served, one after the other, while all of them hold work."""
    lanes = [Lane(queue, weight=weight) for queue, weight in weights.items()]
    served = []
    for _ in range(count):
        lane = max(lanes, key=lambda lane: lane.credit + lane.weight)
        take_turn(lane, lanes)
        served.append(lane.queue)
    return served


def test_queues_of_equal_weight_take_turns() -> None:
    assert turns(6, a=1, b=1, c=1) == ["a", "b", "c"] * 2


def test_a_queue_is_served_as_often_as_its_weight_says() -> None:
    served = turns(600, critical=5, default=1)

    assert served.count("critical") == 500
    assert served[:6].count("default") == 1


def test_a_queue_that_had_no_work_for_long_gets_no_more_than_its_share() -> None:
    idle, busy = Lane("idle"), Lane("busy")
    for _ in range(100):
        take_turn(busy, [busy])
    first = [max([idle, busy], key=lambda lane: lane.credit + lane.weight)]
    take_turn(first[0], [idle, busy])

    assert abs(idle.credit) <= 1
    assert abs(busy.credit) <= 1
