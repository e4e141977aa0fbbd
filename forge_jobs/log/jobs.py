"""Lines about jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.dispatch import Signal

from forge_jobs import signals
from forge_jobs.db.observed import HeldLock
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.durations import spelled
from forge_jobs.handlers.registry import registry
from forge_jobs.states import State

if TYPE_CHECKING:
    from forge_jobs.operations.status import Unserved
    from forge_jobs.runtime.settlements import Finished

logger: Final = logging.getLogger("forge_jobs")

ENDS: Final = {
    State.READY: "given back after",
    State.SCHEDULED: "put off after",
    State.CANCELLED: "cancelled after",
}


def job_ended_well(*, finished: Finished, **kwargs: Any) -> None:
    if not finished.transition.error:
        logger.info(
            "%s #%d %s %s",
            finished.job.kind,
            finished.job.id,
            ENDS.get(finished.transition.state, f"{finished.transition.state} in"),
            spelled(finished.seconds),
            extra=fields(finished),
        )


def job_failed(*, finished: Finished, **kwargs: Any) -> None:
    job, transition = finished.job, finished.transition
    logger.log(
        logging.ERROR if transition.state is State.DEAD or _is_much(job) else logging.WARNING,
        "%s #%d %s after attempt %d%s: %s",
        job.kind,
        job.id,
        transition.state,
        job.attempt,
        f" of {job.max_attempts}" if job.max_attempts else "",
        transition.last_error.partition("\n")[0],
        extra=fields(finished),
    )


def _is_much(job: ClaimedJob) -> bool:
    """Whether it has failed more often than its handler finds ordinary."""
    handler = registry.find(job.kind)
    ordinary = handler.warn_attempts if handler else None
    return ordinary is not None and job.attempt > ordinary


def claim_lost(*, job: ClaimedJob, **kwargs: Any) -> None:
    logger.warning(
        "%s #%d was taken from this process; its outcome is refused",
        job.kind,
        job.id,
        extra={"job_id": job.id, "kind": job.kind, "queue": job.queue, "attempt": job.attempt},
    )


def outcome_ignored(*, job: ClaimedJob, ignored: str, **kwargs: Any) -> None:
    logger.warning(
        "%s #%d had been completed; that its run ended otherwise (%s) changes nothing",
        job.kind,
        job.id,
        ignored,
        extra={"job_id": job.id, "kind": job.kind, "queue": job.queue, "attempt": job.attempt},
    )


def abandoned(*, job: ClaimedJob, stuck: int, **kwargs: Any) -> None:
    logger.error(
        "%s #%d did not end when it should, its thread is abandoned (now %d of them)",
        job.kind,
        job.id,
        stuck,
        extra={"job_id": job.id, "kind": job.kind, "queue": job.queue, "stuck_threads": stuck},
    )


def blocked(*, job: ClaimedJob | None, seconds: float, stack: str, **kwargs: Any) -> None:
    if logger.isEnabledFor(logging.ERROR):
        whose = f"{job.kind} #{job.id}" if job else "a callback of no job's"
        told = f"{whose} has kept all other coroutines waiting for {spelled(seconds)}; it is here:"
        fields: dict[str, Any] = {"seconds": round(seconds, 3), "stack": stack}
        if job:
            fields |= {"job_id": job.id, "kind": job.kind, "queue": job.queue}
        place = (logger.name, logging.ERROR, __file__, 0)
        logger.handle(logger.makeRecord(*place, "%s", (told,), None, "blocked", fields, stack))


def unserved(*, unserved: Sequence[Unserved], **kwargs: Any) -> None:
    for nobody in unserved:
        logger.warning("%s", nobody, extra={"queue": nobody.queue, "kind": nobody.kind})


def locked(*, locks: Sequence[HeldLock], **kwargs: Any) -> None:
    for lock in locks:
        logger.error("%s", lock, extra={"queue": lock.queue, "session_pid": lock.pid})


def misconfigured(*, queue: str, error: Exception, **kwargs: Any) -> None:
    logger.error("nothing is claimed from queue %s: %s", queue, error, extra={"queue": queue})


def fields(finished: Finished) -> dict[str, Any]:
    return {
        "job_id": finished.job.id,
        "kind": finished.job.kind,
        "queue": finished.job.queue,
        "attempt": finished.job.attempt,
        "state": str(finished.transition.state),
        "seconds": round(finished.seconds, 6),
    }


RECEIVERS: Final[dict[Signal, Callable[..., None]]] = {
    signals.job_failed: job_failed,
    signals.claim_lost: claim_lost,
    signals.outcome_ignored: outcome_ignored,
    signals.worker_abandoned: abandoned,
    signals.loop_blocked: blocked,
    signals.work_unserved: unserved,
    signals.locks_held: locked,
    signals.queue_misconfigured: misconfigured,
}
