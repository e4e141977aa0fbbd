"""The examples for Prometheus, Grafana and autoscalers go by what is told, and are understood."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import path
from prometheus_client.parser import text_string_to_metric_families as parsed
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from forge_jobs import clock
from forge_jobs.contrib.prometheus import metrics
from forge_jobs.models import Batch, ChildRestart, Queue, RateLimitBudget, State
from tests.factories import process_named
from tests.faults.servers import free_port
from tests.measured import histogram, sample
from tests.planned import planned_schedule
from tests.rows import finished_job, stored_job
from tests.running import PATIENCE, ROOT, eventually

EXAMPLES = ROOT / "examples/monitoring"
URL = "/jobs/metrics"
TOKEN = "a-token-of-the-tests"

urlpatterns = [path("jobs/metrics", metrics)]

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("_open")]
with_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="Prometheus was not found. apt-get install prometheus",
)


@pytest.fixture
def _open(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.FORGE_JOBS = {**django_settings.FORGE_JOBS, "METRICS_TOKEN": TOKEN}


def work_of_everything() -> None:
    """So much that each metric has something to tell."""
    now = clock.now()
    times = histogram(0.02, 3.0)
    sample(
        at=now,
        enqueued=3,
        succeeded=1,
        dead=1,
        retried=1,
        seconds=(0.02,),
        wait=times,
        latency=times,
    )
    stored_job()
    finished_job(State.DEAD, finished_at=now - timedelta(hours=1))
    process_named("here", queues=["default"], threads=4, started_at=now, heartbeat_at=now)
    Queue.objects.create(name="default")
    RateLimitBudget.objects.create(
        name="mail", capacity=20, refill_per_second=1, tokens=5, last_grant=0
    )
    planned_schedule(name="nightly", next_fire_at=now - timedelta(minutes=1))
    Batch.objects.create(name="import", opened_at=now)
    ChildRestart.objects.create(kind="app.words", reason="memory", times=1, last_at=now)


def scraped() -> str:
    answer = Client().get(URL, headers={"authorization": f"Bearer {TOKEN}"})
    return answer.content.decode()


def panels() -> list[tuple[str, str]]:
    """Of the dashboard: the title of each panel, and what it asks for."""
    dashboard = json.loads((EXAMPLES / "grafana.json").read_text())
    return [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


def as_asked(expression: str) -> str:
    """As Grafana asks Prometheus."""
    return expression.replace("$__rate_interval", "1m").replace("$queue", ".*")


def autoscaling() -> list[str]:
    """What KEDA asks for, and what the adapter does on behalf of the HPA."""
    (query,) = re.findall(r"^ +query: (.+)$", (EXAMPLES / "keda.yaml").read_text(), re.MULTILINE)
    (template,) = re.findall(
        r"metricsQuery: (.+)$", (EXAMPLES / "hpa.yaml").read_text(), re.MULTILINE
    )
    return [query, template.replace("<<.LabelMatchers>>", 'queue="mail"')]


def promtool(*arguments: object, text: str = "") -> None:
    done = subprocess.run(
        ["promtool", *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        cwd=EXAMPLES,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.django_db
@pytest.mark.parametrize(
    "place", ["grafana.json", "alerts.yml", "keda.yaml", "hpa.yaml", "../../docs/metrics.md"]
)
def test_examples_name_no_metric_that_is_not_told(place: str) -> None:
    work_of_everything()
    families = list(parsed(scraped()))
    told = {family.name for family in families}
    told |= {one.name for family in families for one in family.samples}
    named = re.findall(r"\bforge_jobs_\w+", (EXAMPLES / place).read_text())

    assert {*named} - told - {"forge_jobs_work"} == set()


@pytest.mark.django_db
def test_the_page_names_each_metric() -> None:
    work_of_everything()
    page = (ROOT / "docs/metrics.md").read_text()

    assert [family.name for family in parsed(scraped()) if family.name not in page] == []


@with_promtool
class TestPromtool:
    @pytest.mark.django_db
    def test_it_finds_nothing_amiss_in_what_is_told(self) -> None:
        work_of_everything()

        promtool("check", "metrics", text=scraped())

    def test_it_accepts_the_rules_and_their_tests(self) -> None:
        promtool("check", "rules", "alerts.yml")
        promtool("test", "rules", "alerts.test.yml")

    def test_it_accepts_the_configuration(self, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text(TOKEN)
        shutil.copy(EXAMPLES / "alerts.yml", tmp_path)
        text = (EXAMPLES / "prometheus.yml").read_text()
        file = tmp_path / "prometheus.yml"
        file.write_text(text.replace("/etc/prometheus/jobs-token", str(token)))

        promtool("check", "config", file)


@with_promtool
@pytest.mark.django_db(transaction=True)
def test_a_prometheus_has_an_answer_for_each_panel_and_autoscaler(
    live_server: LiveServer, tmp_path: Path
) -> None:
    work_of_everything()
    questions = [as_asked(expression) for _, expression in panels()]
    questions += [query.replace('"mail"', '"default"') for query in autoscaling()]
    with prometheus(tmp_path, target=live_server.url.removeprefix("http://")) as address:
        for question in questions:
            eventually(partial(has_answer, address, question))
        ((_, value),) = answers(address, 'forge_jobs_runs_total{outcome="dead"}')

    assert value == "1"


@contextmanager
def prometheus(folder: Path, *, target: str) -> Iterator[str]:
    """One that scrapes as the example says, but sooner, and without TLS."""
    text = (EXAMPLES / "prometheus.yml").read_text()
    (folder / "token").write_text(TOKEN)
    shutil.copy(EXAMPLES / "alerts.yml", folder)
    for given, here in [
        ("/etc/prometheus/jobs-token", str(folder / "token")),
        ("https", "http"),
        ("shop.example.com", target),
        ("15s", "2s"),
    ]:
        text = text.replace(given, here)
    (folder / "prometheus.yml").write_text(text)
    address = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE)


def has_answer(address: str, question: str) -> bool:
    return bool(answers(address, question))


def answers(address: str, question: str) -> list[Any]:
    """What it says now; nothing while it does not listen yet."""
    url = f"http://{address}/api/v1/query?{urlencode({'query': question})}"
    try:
        with urlopen(url, timeout=PATIENCE) as answer:
            found = json.load(answer)
    except HTTPError as error:
        if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
            return []
        raise
    except OSError:
        return []
    return [one["value"] for one in found["data"]["result"]]
