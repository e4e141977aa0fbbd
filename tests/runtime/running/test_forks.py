"""Processes that a handler forks: they end when they are told to, and leave our sessions alone."""

import pytest

from forge_jobs.models import Job, State
from tests.app.jobs import fork_a_pool, fork_and_terminate, fork_and_use_the_database
from tests.app.models import Effect
from tests.running import Runjobs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.mark.parametrize("arguments", [(), ("--processes", "1")], ids=["alone", "supervised"])
def test_a_forked_process_is_free_of_ours(arguments: tuple[str, ...]) -> None:
    terminated = fork_and_terminate.enqueue()
    pool = fork_a_pool.enqueue()
    forked = fork_and_use_the_database.enqueue(number=1)
    with Runjobs("--drain", "--threads", "1", *arguments) as runjobs:
        code, output = runjobs.wait()

    results = dict(Job.objects.values_list("pk", "result"))
    assert results == {terminated.pk: [-15, -15], pool.pk: [1, 4, 9], forked.pk: 0}, output
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert sorted(Effect.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert code == 0
