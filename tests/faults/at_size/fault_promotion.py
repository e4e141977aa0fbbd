"""The primary is gone for good, a standby becomes the primary, and the address moves to it."""

import pytest

from tests.faults.at_size.conftest import Prepare
from tests.faults.at_size.network import is_missing, network
from tests.faults.at_size.trial import PROCESSES
from tests.faults.servers import Server

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(is_missing() != "", reason=is_missing()),
]


@pytest.mark.parametrize("primary_host", ["answers", "vanishes"])
def test_a_promotion_costs_no_job_its_attempt(primary_host: str, prepare: Prepare) -> None:
    with (
        network(3) as (first, second, far),
        Server.started(host=first) as primary,
        primary.standby(host=second) as standby,
    ):
        trial = prepare(primary.local_url)
        trial.enqueue()
        url = {"FORGE_JOBS_TEST_DATABASE_URL": primary.url}
        with trial.project.runjobs(*PROCESSES, within=far.within, **url) as runjobs:
            with trial.enqueuing(seconds=20, within=far.within, url=primary.url):
                trial.until_busy()
                if primary_host == "vanishes":
                    first.unplug()
                primary.kill()
                standby.promote()
                first.unplug()
                second.take_over(first.address, told=far)
                trial.project.move(standby.local_url)
                trial.resumes()
            trial.enqueue()
            trial.ends(runjobs)
