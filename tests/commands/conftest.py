"""`manage.py jobs`, as a test calls it."""

from collections.abc import Callable, Iterator
from datetime import UTC
from io import StringIO
from typing import NamedTuple

import pytest
from django.core.management import call_command
from django.utils import timezone

from forge_jobs import clock


class Said(NamedTuple):
    out: str
    err: str


Jobs = Callable[..., Said]


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    """Run the command with these words; returns what it says."""

    def run(*arguments: str) -> Said:
        out, err = StringIO(), StringIO()
        call_command("jobs", *arguments, stdout=out, stderr=err)
        return Said(out.getvalue(), err.getvalue())

    with timezone.override(UTC):
        yield run
    clock.measured.forget()
