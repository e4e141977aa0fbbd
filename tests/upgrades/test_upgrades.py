"""This release and the one before it run side by side, through the migration, under traffic."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults.at_size.ledger import PATH, Ledger
from tests.faults.elsewhere import LONG, Elsewhere, InAFile
from tests.faults.servers import Server
from tests.running import Runjobs, eventually
from tests.upgrades.releases import install_base, is_missing, looking_through
from tests.upgrades.traffic import Web, visitors
from tests.upgrades.verdict import UNFINISHED, faults

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(400),
    pytest.mark.skipif(is_missing() != "", reason=is_missing()),
]

FEW = 20
"""Runs that must have begun before the upgrade takes its next step."""

WORKERS = ("--processes", "2", "--threads", "4")

Migrate = Callable[[dict[str, str]], Elsewhere]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def migrate(tmp_path: Path, ledger: Ledger) -> Iterator[Migrate]:
    """Migrates the shop's one database by the code of a release, whose processes it then starts."""
    own = {"DJANGO_SETTINGS_MODULE": "tests.upgrades.shop.settings", PATH: str(ledger.path)}
    if connection.vendor == "sqlite":
        yield lambda release: InAFile(tmp_path / "shop.sqlite3", **own, **release)
        return
    with Server.started() as server:
        yield lambda release: Elsewhere(server.url, **own, **release)


def test_an_upgrade_and_the_way_back_lose_no_job_refuse_none_and_run_none_twice(
    tmp_path: Path, ledger: Ledger, migrate: Migrate
) -> None:
    def until_more_begin(*started: Runjobs) -> None:
        wanted = {each: begun(each) + FEW for each in started}
        eventually(
            lambda: all(begun(each) >= count for each, count in wanted.items()), patience=LONG
        )

    def begun(started: Runjobs) -> int:
        assert shop.refused == {}
        pids = set(started.pids)
        return sum(entry.pid in pids for entry in ledger.entries("begun"))

    old = migrate(install_base(tmp_path / "base"))
    with (
        Web(old.environment) as old_web,
        old.runjobs(*WORKERS) as old_workers,
        visitors(old_web) as shop,
    ):
        until_more_begin(old_workers)

        new = migrate(looking_through())
        until_more_begin(old_workers)
        old.python("-m", "django", "jobs", "status")

        with Web(new.environment) as new_web, new.runjobs(*WORKERS) as new_workers:
            assert old_web.ask("GET", 0) != new_web.ask("GET", 0), "they are the same release"
            shop.sends_to(old_web, new_web)
            until_more_begin(old_workers, new_workers)

            shop.sends_to(new_web)
            stop(old_workers)
            until_more_begin(new_workers)

            with old.runjobs(*WORKERS) as workers_gone_back_to:
                until_more_begin(workers_gone_back_to)
                shop.sends_to(old_web)
                stop(new_workers)
                until_more_begin(workers_gone_back_to)

                shop.closes()
                eventually(lambda: new.count(UNFINISHED) == 0, patience=LONG)
                stop(workers_gone_back_to)

    assert faults(new, ledger, accepted=shop.accepted) == []


def stop(workers: Runjobs) -> None:
    workers.terminate()
    code, output = workers.wait()
    assert code == 0, output
    assert "Traceback" not in output
    assert "trouble" not in output
