"""Turns signals into log lines; nothing else in forge_jobs logs."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from signal import Signals
from typing import TYPE_CHECKING, Any, Final

from forge_jobs import signals
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.states import State

if TYPE_CHECKING:
    from forge_jobs.models import Process
    from forge_jobs.runtime.engine import Engine
    from forge_jobs.runtime.finalizer import Finished
    from forge_jobs.runtime.supervisor import Child
    from forge_jobs.status import Unserved

logger: Final = logging.getLogger("forge_jobs")

_ENDS: Final = {
    State.READY: "given back after",
    State.SCHEDULED: "put off after",
    State.CANCELLED: "cancelled after",
}
_BARE: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JSONFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, and the fields of `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _BARE},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_jobs() -> None:
    """Log every finished run, not only those that failed."""
    signals.job_finished.connect(_job_ended_well, dispatch_uid="forge_jobs.log.ended_well")


def log_trouble() -> None:
    """Log what somebody should know of."""
    signals.job_failed.connect(_job_failed, dispatch_uid="forge_jobs.log.failed")
    signals.claim_lost.connect(_claim_lost, dispatch_uid="forge_jobs.log.claim_lost")
    signals.thread_failed.connect(_thread_failed, dispatch_uid="forge_jobs.log.thread_failed")
    signals.process_stopped.connect(_stopped, dispatch_uid="forge_jobs.log.stopped")
    signals.process_stopping.connect(_stopping, dispatch_uid="forge_jobs.log.stopping")
    signals.child_started.connect(_child_started, dispatch_uid="forge_jobs.log.child_started")
    signals.child_unborn.connect(_child_unborn, dispatch_uid="forge_jobs.log.child_unborn")
    signals.child_ended.connect(_child_ended, dispatch_uid="forge_jobs.log.child_ended")
    signals.service_failed.connect(_service_failed, dispatch_uid="forge_jobs.log.service_failed")
    signals.process_lost.connect(_process_lost, dispatch_uid="forge_jobs.log.process_lost")
    signals.process_revived.connect(_revived, dispatch_uid="forge_jobs.log.revived")
    signals.process_troubled.connect(_troubled, dispatch_uid="forge_jobs.log.troubled")
    signals.worker_abandoned.connect(_abandoned, dispatch_uid="forge_jobs.log.abandoned")
    signals.leadership_changed.connect(_leadership, dispatch_uid="forge_jobs.log.leadership")
    signals.work_unserved.connect(_unserved, dispatch_uid="forge_jobs.log.unserved")
    signals.wake_unheard.connect(_wake_unheard, dispatch_uid="forge_jobs.log.wake_unheard")
    signals.database_trouble.connect(_trouble, dispatch_uid="forge_jobs.log.trouble")
    signals.database_recovered.connect(_recovered, dispatch_uid="forge_jobs.log.recovered")


def _job_ended_well(*, finished: Finished, **kwargs: Any) -> None:
    if not finished.transition.error:
        logger.info(
            "%s #%d %s %s",
            finished.job.kind,
            finished.job.id,
            _ENDS.get(finished.transition.state, f"{finished.transition.state} in"),
            spelled(finished.seconds),
            extra=_fields(finished),
        )


def _job_failed(*, finished: Finished, **kwargs: Any) -> None:
    job, transition = finished.job, finished.transition
    logger.log(
        logging.ERROR if transition.state is State.DEAD else logging.WARNING,
        "%s #%d %s after attempt %d%s: %s",
        job.kind,
        job.id,
        transition.state,
        job.attempt,
        f" of {job.max_attempts}" if job.max_attempts else "",
        transition.last_error.partition("\n")[0],
        extra=_fields(finished),
    )


def _claim_lost(*, job: ClaimedJob, **kwargs: Any) -> None:
    logger.warning(
        "%s #%d was taken from this process; its outcome is refused",
        job.kind,
        job.id,
        extra={"job_id": job.id, "kind": job.kind, "queue": job.queue, "attempt": job.attempt},
    )


def _stopping(*, reason: str, **kwargs: Any) -> None:
    logger.info("stopping: %s", reason, extra={"reason": reason})


def _stopped(*, engine: Engine, **kwargs: Any) -> None:
    if engine.failure:
        logger.error("stopped with a fault: %s", engine.failure, extra={"reason": engine.failure})


def _thread_failed(*, thread: str, error: BaseException, **kwargs: Any) -> None:
    logger.critical(
        "%s failed, this process stops", thread, exc_info=error, extra={"thread_name": thread}
    )


def _child_started(*, child: Child, delay: float, **kwargs: Any) -> None:
    logger.info(
        "process %s started, pid %d%s",
        child.name,
        child.pid,
        f"; it died early {child.early_deaths} times, and begins in {spelled(delay)}"
        if delay
        else "",
        extra={"process_name": child.name, "child_pid": child.pid, "delay_seconds": delay},
    )


def _child_unborn(*, name: str, error: OSError, **kwargs: Any) -> None:
    logger.error(
        "process %s could not be started: %s; trying again",
        name,
        error,
        extra={"process_name": name, "error": str(error)},
    )


def _child_ended(*, child: Child, code: int, **kwargs: Any) -> None:
    how = f"was killed by {Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    logger.log(
        logging.INFO if code == 0 else logging.ERROR,
        "process %s, pid %d, %s",
        child.name,
        child.pid,
        how,
        extra={"process_name": child.name, "child_pid": child.pid, "exit_code": code},
    )


def _service_failed(*, service: str, error: BaseException, **kwargs: Any) -> None:
    logger.critical("the %s failed", service, exc_info=error, extra={"service": service})


def _process_lost(*, process: Process, given_back: int, **kwargs: Any) -> None:
    logger.warning(
        "process %s (pid %d on %s) was lost, its jobs are given back: %d",
        process.name,
        process.pid,
        process.host,
        given_back,
        extra={"lost_process": process.name, "host": process.host, "given_back": given_back},
    )


def _revived(*, process: Process, **kwargs: Any) -> None:
    logger.warning(
        "process %s had been given up as lost; its jobs are others' now, it carries on",
        process.name,
        extra={"process_name": process.name},
    )


def _troubled(*, trouble: str, **kwargs: Any) -> None:
    if trouble:
        logger.error("trouble: %s", trouble, extra={"trouble": trouble})
    else:
        logger.info("jobs start again")


def _abandoned(*, job: ClaimedJob, stuck: int, **kwargs: Any) -> None:
    logger.error(
        "%s #%d did not react to its timeout, its thread is abandoned (now %d of them)",
        job.kind,
        job.id,
        stuck,
        extra={"job_id": job.id, "kind": job.kind, "queue": job.queue, "stuck_threads": stuck},
    )


def _leadership(*, leads: bool, **kwargs: Any) -> None:
    logger.debug("this process %s the services", "runs" if leads else "no longer runs")


def _unserved(*, unserved: Sequence[Unserved], **kwargs: Any) -> None:
    for nobody in unserved:
        logger.warning("%s", nobody, extra={"queue": nobody.queue, "kind": nobody.kind})


def _wake_unheard(**kwargs: Any) -> None:
    logger.warning(
        "notifications do not arrive, as behind a pooler that shares connections: jobs are found "
        "by polling"
    )


def _trouble(*, error: Exception, doing: str, retry_in: float | None, **kwargs: Any) -> None:
    following = "" if retry_in is None else f"; trying again in {spelled(retry_in)}"
    logger.error(
        "database trouble while %s: %s%s",
        doing,
        str(error).strip() or type(error).__name__,
        following,
        extra={"doing": doing, "error": type(error).__name__, "retry_in_seconds": retry_in},
    )


def _recovered(*, doing: str, after: timedelta, **kwargs: Any) -> None:
    logger.info(
        "the database is back after %s, %s again",
        spelled(after.total_seconds()),
        doing,
        extra={"doing": doing, "after_seconds": after.total_seconds()},
    )


def _fields(finished: Finished) -> dict[str, Any]:
    return {
        "job_id": finished.job.id,
        "kind": finished.job.kind,
        "queue": finished.job.queue,
        "attempt": finished.job.attempt,
        "state": str(finished.transition.state),
        "seconds": round(finished.seconds, 6),
    }


def spelled(seconds: float) -> str:
    """A duration as people read it: 0.4 ms, 12 ms, 1.3 s, 4 min 5 s."""
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
