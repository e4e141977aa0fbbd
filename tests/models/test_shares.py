"""Shares of a queue's workers: fair, and never more in all than the limit."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_jobs.models import Process, ProcessState, Queue, Share, State
from forge_jobs.models.shares import TURN, Stake, Terms, fair_shares
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

SECOND = timedelta(seconds=1)
MANY = 100


def fair(limit: int, *stakes: tuple[int, int]) -> list[int]:
    """What processes should have that hold and could use so many slots each."""
    given_out = fair_shares(
        limit,
        [Stake(pk, slots, wanted, NOON) for pk, (slots, wanted) in enumerate(stakes)],
        now=NOON,
    )
    return list(given_out.values())


@pytest.mark.parametrize(
    ("limit", "stakes", "shares"),
    [
        (10, [(0, MANY)] * 3, [4, 3, 3]),
        (10, [(0, MANY), (0, MANY), (4, MANY)], [3, 3, 4]),
        (10, [(0, 0)] * 3, [4, 3, 3]),
        (10, [(0, 1), (0, MANY), (0, MANY)], [1, 5, 4]),
        (10, [(5, 0), (5, MANY)], [0, 10]),
        (10, [(5, 2), (5, 3)], [5, 5]),
        (1, [(0, MANY), (1, MANY)], [0, 1]),
        (3, [(0, MANY)] * 4, [1, 1, 1, 0]),
        (0, [(2, MANY), (0, MANY)], [0, 0]),
        (5, [], []),
    ],
)
def test_shares_are_as_even_as_need_allows(
    limit: int, stakes: list[tuple[int, int]], shares: list[int]
) -> None:
    assert fair(limit, *stakes) == shares


def test_who_does_not_claim_should_have_none() -> None:
    quiet = Stake(1, 4, 4, NOON, claims=False)

    assert fair_shares(4, [quiet, Stake(2, 0, 1, NOON)], now=NOON) == {1: 0, 2: 4}


def test_where_not_all_can_have_one_they_take_turns() -> None:
    stakes = {pk: Stake(pk, int(pk == 1), MANY, NOON + pk * SECOND) for pk in (1, 2, 3)}
    holders, now = [], NOON + 4 * SECOND
    for _ in range(12):
        shares = fair_shares(1, stakes.values(), now=now)
        (holder,) = [pk for pk, slots in shares.items() if slots]
        holders.append(holder)
        for pk, stake in stakes.items():
            if stake.slots != shares[pk]:
                stakes[pk] = stake._replace(slots=shares[pk], since=now)
        now += TURN / 2

    assert [after for before, after in pairwise(holders) if before != after][:4] == [2, 3, 1, 2]


@given(
    limit=st.integers(0, 40),
    stakes=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), max_size=8),
)
def test_nothing_is_shared_twice_nothing_is_left_and_need_comes_first(
    limit: int, stakes: list[tuple[int, int, bool]]
) -> None:
    given_out = [Stake(pk, *stake[:2], NOON, stake[2]) for pk, stake in enumerate(stakes)]
    shares = fair_shares(limit, given_out, now=NOON)
    claiming = [stake for stake in given_out if stake.claims]

    assert sum(shares.values()) == (limit if claiming else 0)
    assert all(shares[stake.process] == 0 for stake in given_out if not stake.claims)
    short = [shares[one.process] for one in claiming if shares[one.process] < one.wanted]
    for stake in claiming:
        assert all(shares[stake.process] <= max(stake.wanted, least + 1) for least in short)


class Cluster:
    """Processes as the table of shares sees them: what each runs, and may begin."""

    def __init__(self, size: int, *, limit: int | None) -> None:
        Queue.objects.create(name="mail", max_workers=limit)
        self.processes = [process_named(f"{number}", queues=["mail"]) for number in range(size)]
        self.running = [0] * size
        self.allowed = [0] * size

    def settle(self, number: int, *, wanted: int = MANY, claims: bool = True) -> Terms | None:
        def limit_to(slots: int) -> int:
            self.allowed[number] = slots
            return self.running[number]

        terms = Share.objects.settle(
            "mail",
            process=self.processes[number],
            wanted=wanted,
            claims=claims,
            limit_to=limit_to,
            now=NOON,
        )
        if terms:
            self.allowed[number] = terms.allowed
        return terms

    def settle_all(self, times: int = 3) -> list[int]:
        for _ in range(times):
            for number in range(len(self.processes)):
                self.settle(number)
        return self.allowed

    def begin(self) -> None:
        """As many as may."""
        self.running = [max(*pair) for pair in zip(self.running, self.allowed, strict=True)]


@pytest.mark.django_db
def test_a_share_grows_only_into_what_its_former_owner_has_let_go_of() -> None:
    cluster = Cluster(1, limit=4)
    assert cluster.settle(0) == (4, 4, 4)
    cluster.begin()
    cluster.processes.append(process_named("late", queues=["mail"]))
    cluster.running.append(0)
    cluster.allowed.append(0)

    assert cluster.settle(1) == (0, 2, 0)
    assert cluster.settle(0) == (4, 2, 2)
    assert cluster.allowed == [2, 0]
    cluster.running[0] = 3
    assert cluster.settle(0) == (3, 2, 2)
    assert cluster.settle(1) == (1, 2, 1)
    cluster.running[0] = 2
    assert [cluster.settle(0), cluster.settle(1)] == [(2, 2, 2), (2, 2, 2)]


@pytest.mark.django_db
def test_nobody_s_share_grows_before_all_who_serve_the_queue_have_one() -> None:
    cluster = Cluster(2, limit=4)
    assert cluster.settle(0) == (0, 4, 0)
    cluster.running[1] = 3  # from before there was a limit

    assert cluster.settle(1) == (3, 2, 2)
    assert cluster.settle(0) == (1, 2, 1)


@pytest.mark.django_db
def test_a_limit_that_is_lowered_lets_nobody_begin_until_there_are_fewer() -> None:
    cluster = Cluster(2, limit=8)
    assert cluster.settle_all() == [4, 4]
    cluster.begin()
    Queue.objects.update(max_workers=2)
    assert cluster.settle_all() == [0, 0]
    cluster.running = [0, 3]
    assert cluster.settle_all() == [0, 0]
    cluster.running = [0, 1]

    assert cluster.settle_all() == [1, 1]


@pytest.mark.django_db
def test_a_process_that_is_forgotten_leaves_its_slots_to_others() -> None:
    cluster = Cluster(2, limit=4)
    cluster.settle_all()
    Process.objects.filter(name="0").delete()

    assert cluster.settle(1) == (4, 4, 4)
    assert cluster.settle(0) is None
    assert cluster.settle(1) == (4, 4, 4)


@pytest.mark.django_db
def test_a_quiet_process_keeps_no_more_than_what_it_runs() -> None:
    cluster = Cluster(2, limit=4)
    cluster.settle_all()
    cluster.running[0] = 1
    Process.objects.filter(name="0").update(state=ProcessState.QUIET)

    assert cluster.settle(0, claims=False) == (1, 0, 0)
    assert cluster.settle(1) == (3, 4, 3)


@pytest.mark.django_db
def test_what_was_claimed_beyond_a_share_does_not_count_as_busy() -> None:
    cluster = Cluster(2, limit=4)
    cluster.settle_all()
    for process in (cluster.processes[0],) * 5 + (cluster.processes[1],):
        stored_job(queue="mail", state=State.RUNNING, process=process)

    assert Share.objects.busy(["mail", "other"]) == {"mail": 3, "other": 0}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("settle"), st.integers(0, 2), st.integers(0, 6), st.booleans()),
        st.tuples(st.sampled_from(["begin", "end"]), st.integers(0, 2), st.just(0), st.just(True)),
        st.tuples(st.just("limit"), st.just(0), st.integers(0, 6), st.just(True)),
    ),
    max_size=40,
)


@pytest.mark.django_db
@settings(max_examples=60)
@given(steps=steps)
def test_whatever_happens_no_handler_begins_beyond_the_limit(
    steps: list[tuple[str, int, int, bool]],
) -> None:
    Share.objects.all().delete()
    Process.objects.all().delete()
    Queue.objects.all().delete()
    cluster, limit = Cluster(3, limit=4), 4
    for verb, number, value, claims in steps:
        match verb:
            case "settle":
                cluster.settle(number, wanted=value, claims=claims)
            case "limit":
                Queue.objects.update(max_workers=(limit := value))
                cluster.settle_all(times=1)
            case "begin" if cluster.running[number] < cluster.allowed[number]:
                cluster.running[number] += 1
                assert sum(cluster.running) <= limit
            case "end" if cluster.running[number]:
                cluster.running[number] -= 1
