"""What the description says holds: schemathesis sends what fits, and what does not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, assume, given, settings
from pydantic import BaseModel
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from forge_jobs import clock, job
from forge_jobs.admin.token_form import LABELS
from forge_jobs.api.openapi import described
from forge_jobs.models import Batch, RateLimitBudget, Schedule
from tests.api.callers import ROOT, superuser, token_of
from tests.factories import process_named
from tests.rows import finished_job, stored_job

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
EXAMPLES = int(os.environ.get("FORGE_JOBS_TEST_API_EXAMPLES", "2"))
SCHEMA = schemathesis.openapi.from_dict(described(ROOT))
SCHEMA.app = get_wsgi_application()
SCHEMA.config.base_url = f"http://testserver{ROOT}"
OPERATIONS: dict[str, Any] = {
    one.definition.raw["operationId"]: one
    for one in (found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok))
}
"""By the names that the description gives them."""

quickly = settings(
    max_examples=EXAMPLES,
    database=None,
    derandomize="FORGE_JOBS_TEST_API_EXAMPLES" not in os.environ,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _connections_stay() -> Iterator[None]:
    """Which the test's own transaction needs, as Django's own client sees to it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def headers() -> dict[str, str]:
    """Of somebody who may do everything, where there is something of everything."""

    @job(kind="shop.send_receipt", api=True)
    def send_receipt(**payload: Any) -> None: ...

    stored_job(), finished_job()
    process_named(
        "web", heartbeat_at=clock.now(), queues=["default"], kinds=["app.noop"], threads=4
    )
    Batch.objects.create(name="import")
    Schedule.objects.create(name="nightly", kind="shop.send_receipt", expression="@daily")
    RateLimitBudget.objects.create(name="slack", capacity=1, refill_per_second=1, tokens=1)
    _, text = token_of(superuser(), *LABELS)
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (name, mode)
        for name in sorted(OPERATIONS)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if name != "get_ready" or mode == GenerationMode.POSITIVE  # it asks for nothing
    ],
)
def test_what_is_sent_is_answered_as_described(
    name: str, mode: GenerationMode, headers: dict[str, str]
) -> None:
    @quickly
    @given(case=OPERATIONS[name].as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        # In an address a list or an object becomes some text, which may be as good as any other.
        assume(not any(isinstance(one, list | dict) for one in (case.query or {}).values()))
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()


def test_no_two_shapes_have_the_same_name_under_which_one_would_describe_both() -> None:
    shapes, names = [BaseModel], list[str]()
    while shapes:
        ours = [one for one in shapes.pop().__subclasses__() if "forge_jobs" in one.__module__]
        names += [one.__name__ for one in ours]
        shapes += ours

    assert len(names) > 30
    assert [name for name, times in Counter(names).items() if times > 1] == []
