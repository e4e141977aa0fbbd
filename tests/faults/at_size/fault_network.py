"""The network between workers and their database is cut, without a word to either of them."""

import time

import pytest

from tests.faults.at_size.conftest import Prepare, outages
from tests.faults.at_size.network import is_missing, network
from tests.faults.at_size.trial import PROCESS_TIMEOUT, PROCESSES
from tests.faults.servers import Server

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(is_missing() != "", reason=is_missing()),
]


@outages
def test_a_host_that_was_cut_off_goes_on(seconds: float, prepare: Prepare) -> None:
    with network(2) as (database, far), Server.started(host=database) as server:
        trial = prepare(server.local_url)
        trial.enqueue()
        url = {"FORGE_JOBS_TEST_DATABASE_URL": server.url}
        with trial.project.runjobs(*PROCESSES, within=far.within, **url) as runjobs:
            trial.until_busy()
            far.unplug()
            trial.enqueue()
            time.sleep(seconds)
            far.plug_in()
            trial.resumes()
            trial.enqueue()
            trial.ends(runjobs)


def test_others_take_over_from_a_host_that_is_cut_off_until_it_is_back(prepare: Prepare) -> None:
    with network(2) as (database, far), Server.started(host=database) as server:
        trial = prepare(server.local_url)
        trial.enqueue()
        url = {"FORGE_JOBS_TEST_DATABASE_URL": server.url}
        near_queues = ("--queues", "default,limited")
        with (
            trial.project.runjobs(*PROCESSES, within=far.within, **url) as away,
            trial.project.runjobs("--threads", "4", *near_queues) as near,
        ):
            trial.until_busy()
            far.unplug()
            trial.enqueue()
            time.sleep(2 * PROCESS_TIMEOUT)
            far.plug_in()
            trial.resumes()
            trial.enqueue()
            trial.ends(away, near)
