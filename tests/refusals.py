"""What it takes for an enqueue to be refused properly."""

from typing import Any

import pytest

from forge_jobs import EnqueueError, enqueue
from forge_jobs.models import Job


def refused(kind: Any, payload: Any = None, **options: Any) -> EnqueueError:
    """The error that refuses a job, after a look that nothing was written."""
    with pytest.raises(EnqueueError) as refusal:
        enqueue(kind, payload, **options)
    assert not Job.objects.exists()
    return refusal.value
