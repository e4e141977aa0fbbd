"""Whatever a handler returns, raises or tells: its process lives, and the others' jobs succeed."""

import sys
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from forge_jobs import clock
from forge_jobs.models import Job, Process, Queue, State
from tests.app import hostile as parts
from tests.app.hostile import hostile
from tests.app.jobs import noop
from tests.running import Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

EXAMPLES = 80

raised = st.sampled_from(sorted(parts.ERRORS))
atoms = st.sampled_from(sorted(parts.ATOMS))
hostile_values = st.fixed_dictionaries(
    {
        "base": st.sampled_from(sorted(parts.BASES)),
        "dunders": st.lists(st.sampled_from(parts.DUNDERS), min_size=1, max_size=4, unique=True),
        "raised": raised,
    }
)
leaves = atoms | hostile_values
values = leaves | st.one_of(
    st.builds(lambda inner: {"list": inner}, st.lists(leaves, max_size=3)),
    st.builds(lambda inner: {"key": inner}, leaves),
    st.builds(lambda inner: {"value": inner}, leaves),
)
errors = st.fixed_dictionaries(
    {
        "error": raised,
        "arguments": st.lists(values, max_size=3),
        "dunders": st.lists(st.sampled_from(parts.ERROR_DUNDERS), max_size=3, unique=True),
        "raised": raised,
        "odd": st.dictionaries(st.sampled_from(parts.ODD_NAMES), values, max_size=2),
    }
)


def acts(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(parts)


recipes = st.one_of(
    acts(act=st.just("return"), of=values),
    acts(act=st.just("raise"), of=errors, by=st.sampled_from(sorted(parts.WAYS))),
    acts(act=st.just("progress"), of=st.lists(values, min_size=3, max_size=3)),
    acts(act=st.just("log"), of=values),
    acts(
        act=st.sampled_from(["outcome", "raise outcome"]),
        of=values,
        by=st.sampled_from(sorted(parts.OUTCOMES)),
    ),
    acts(act=st.just("do"), of=values, by=st.sampled_from(sorted(parts.DEEDS))),
)


UNDER_WAY = (State.READY, State.RUNNING, State.RETRYING, State.BLOCKED)

ENDS = {
    "Cancelled": {State.CANCELLED, State.DEAD},
    "Dead": {State.DEAD},
    "Failed": {State.DEAD},
    "Failed with a traceback": {State.DEAD},
    "Snoozed": {State.SCHEDULED, State.DEAD},
    "Snoozed until": {State.SCHEDULED, State.DEAD},
    "Throttled": {State.SCHEDULED, State.DEAD},
    "Throttled alone": {State.SCHEDULED, State.DEAD},
}
"""Where a job may be that made an outcome: it is dead if the outcome can't be made of that."""


class Target:
    """A process that hostile jobs run in; when one has broken it, the next meets a fresh one."""

    def __init__(self) -> None:
        self._runjobs: Runjobs | None = None

    def hit(self, recipe: dict[str, Any]) -> Job:
        """Let it run a hostile job among those of others; returns what became of it."""
        runjobs = self._runjobs = self._runjobs or _started()
        process = Process.objects.get()
        try:
            thrown = _thrown(recipe)
            assert Process.objects.get() == process
        except BaseException:
            sys.stdout.write(runjobs.output[-5_000:])
            self.close()
            raise
        return thrown

    def close(self) -> None:
        if self._runjobs:
            with self._runjobs as runjobs:
                runjobs.kill()
        self._runjobs = None
        Process.objects.all().delete()
        Job.objects.all().delete()


def _started() -> Runjobs:
    runjobs = Runjobs("--threads", "2", "--queues", "default,other")
    eventually(Process.objects.exists)
    return runjobs


def _thrown(recipe: dict[str, Any]) -> Job:
    stored = [noop.enqueue(), hostile.enqueue(**recipe), noop.enqueue()]
    jobs = Job.objects.filter(pk__in=[each.pk for each in stored]).order_by("pk")
    found: list[Job] = []

    def have_ended() -> bool:
        found[:] = jobs.all()  # kept, for one that snoozes for no time at all goes on and on
        return not any(one.state in UNDER_WAY for one in found)

    eventually(have_ended)
    before, thrown, after = found
    for other in (before, after):
        assert (other.state, other.attempt, other.errors) == (State.SUCCEEDED, 1, [])
    jobs.cancel(now=clock.now())
    Queue.objects.cool_off("other")
    return thrown


def test_a_process_outlives_whatever_a_handler_hands_over() -> None:
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],  # not made smaller: one that breaks a process takes its time
        suppress_health_check=list(HealthCheck),
    )
    @given(recipe=recipes)
    def throw(recipe: dict[str, Any]) -> None:
        thrown = target.hit(recipe)
        if recipe["act"] == "raise":
            assert thrown.state == State.DEAD
        else:
            assert thrown.state in ENDS.get(recipe.get("by", ""), {State.SUCCEEDED, State.DEAD})
        if thrown.state == State.DEAD:
            assert thrown.attempt == 1
            assert thrown.last_error

    with closing(Target()) as target:
        throw()
