"""Lines about the children of pools."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.dispatch import Signal

from forge_jobs import signals

if TYPE_CHECKING:
    from forge_jobs.children.warm import WarmChild

logger: Final = logging.getLogger("forge_jobs")


def told(*, name: str, pid: int, line: str, **kwargs: Any) -> None:
    logger.info("child %d of %s: %s", pid, name, line, extra={"kind": name, "child": pid})


def ended(*, name: str, child: WarmChild, why: str, **kwargs: Any) -> None:
    if why:
        logger.warning(
            "child %d of %s has ended after %d jobs: %s",
            child.pid,
            name,
            child.jobs_done,
            why,
            extra={"kind": name, "child": child.pid, "jobs": child.jobs_done},
        )


RECEIVERS: Final[dict[Signal, Callable[..., None]]] = {
    signals.pool_child_told: told,
    signals.pool_child_ended: ended,
}
