"""Lines about processes, their services, and the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from signal import Signals
from typing import TYPE_CHECKING, Any, Final

from django.dispatch import Signal

from forge_jobs import signals
from forge_jobs.clock import Reading, Verdict
from forge_jobs.durations import spelled
from forge_jobs.handlers.border import failed, is_tellable

if TYPE_CHECKING:
    from forge_jobs.models import Process
    from forge_jobs.runtime.command.farewell import Awaited
    from forge_jobs.runtime.command.supervisor import Child

logger: Final = logging.getLogger("forge_jobs")

MOST_AWAITED: Final = 5


def stopping(*, reason: str, **kwargs: Any) -> None:
    logger.info("stopping: %s", reason, extra={"reason": reason})


def awaited(*, awaited: Sequence[Awaited], seconds: float, reason: str, **kwargs: Any) -> None:
    jobs = f"{len(awaited)} jobs" if len(awaited) > 1 else "1 job"
    fields = {"jobs": [one.job.id for one in awaited], "seconds_left": round(seconds, 3)}
    if seconds:
        logger.info(
            "waiting up to %.0f s for %s: %s; %s Ctrl-C or SIGTERM gives back at once what runs",
            seconds,
            jobs,
            _told_awaited(awaited),
            "a second" if reason in Signals.__members__ else "a",
            extra=fields,
        )
    else:
        logger.info(
            "%s told to stop, to be given back within a second: %s",
            jobs,
            _told_awaited(awaited),
            extra=fields,
        )


def _told_awaited(awaited: Sequence[Awaited]) -> str:
    first = [
        f"{job.kind} #{job.id} (for {spelled(seconds)})" for job, seconds in awaited[:MOST_AWAITED]
    ]
    more = len(awaited) - len(first)
    return ", ".join([*first, f"and {more} more"] if more else first)


def stopped(*, failure: str, **kwargs: Any) -> None:
    if failure:
        logger.error("stopped with a fault: %s", failure, extra={"reason": failure})


def thread_failed(*, thread: str, error: BaseException, **kwargs: Any) -> None:
    logger.critical(
        "%s failed, this process stops: %s",
        thread,
        failed(error).message,
        exc_info=error if is_tellable(error) else None,
        extra={"thread_name": thread},
    )


def child_started(*, child: Child, delay: float, **kwargs: Any) -> None:
    logger.info(
        "process %s started, pid %d%s",
        child.name,
        child.pid,
        f"; it died early {child.early_deaths} times, and begins in {spelled(delay)}"
        if delay
        else "",
        extra={"process_name": child.name, "child_pid": child.pid, "delay_seconds": delay},
    )


def forks_forgone(*, reason: str, **kwargs: Any) -> None:
    logger.info(
        "processes start as fresh interpreters, as with --spawn, for CUDA works in no fork of this "
        "one: %s",
        reason,
        extra={"reason": reason},
    )


def child_unborn(*, name: str, error: OSError, **kwargs: Any) -> None:
    logger.error(
        "process %s could not be started: %s; trying again",
        name,
        error,
        extra={"process_name": name, "error": str(error)},
    )


def child_ended(*, child: Child, code: int, is_well: bool, **kwargs: Any) -> None:
    how = f"was killed by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
    if not is_well and code >= 0:
        how += ", without an orderly end: its jobs are given back"
    if is_well and code:  # that of a drain, and no fault of the process
        how += ": jobs died"
    logger.log(
        logging.INFO if is_well else logging.ERROR,
        "process %s, pid %d, %s",
        child.name,
        child.pid,
        how,
        extra={"process_name": child.name, "child_pid": child.pid, "exit_code": code},
    )


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:  # those of real time have numbers only
        return f"signal {number}"


def service_failed(*, service: str, error: BaseException, **kwargs: Any) -> None:
    logger.critical(
        "the %s failed: %s",
        service,
        failed(error).message,
        exc_info=error if is_tellable(error) else None,
        extra={"service": service},
    )


def events_dropped(*, number: int, **kwargs: Any) -> None:
    logger.warning(
        "too much happened at once to keep all of it: %d events of jobs are left out",
        number,
        extra={"events": number},
    )


def process_lost(*, process: Process, given_back: int, **kwargs: Any) -> None:
    logger.warning(
        "process %s (pid %d on %s) was lost, its jobs are given back: %d",
        process.name,
        process.pid,
        process.host,
        given_back,
        extra={"lost_process": process.name, "host": process.host, "given_back": given_back},
    )


def revived(*, process: Process, **kwargs: Any) -> None:
    logger.warning(
        "process %s had been given up as lost; its jobs are others' now, it carries on",
        process.name,
        extra={"process_name": process.name},
    )


def troubled(*, trouble: str, **kwargs: Any) -> None:
    if trouble:
        logger.error("trouble: %s", trouble, extra={"trouble": trouble})
    else:
        logger.info("jobs start again")


def clock_jumped(*, reading: Reading, **kwargs: Any) -> None:
    seconds = reading.jump.total_seconds()
    how = f"{spelled(abs(seconds))} {'ahead' if seconds > 0 else 'back'}"
    level, line = {
        Verdict.JUMPED: (logging.ERROR, f"the clock has jumped {how}: nothing goes by that yet"),
        Verdict.CONFIRMED: (
            logging.WARNING,
            f"the clock stays {how}: this is the time now",
        ),
        Verdict.WITHDRAWN: (logging.INFO, f"the clock is right again, after it had jumped {how}"),
    }[reading.verdict]
    logger.log(level, line, extra={"jump_seconds": seconds, "verdict": reading.verdict.value})


def leadership(*, leads: bool, **kwargs: Any) -> None:
    logger.debug("this process %s the services", "runs" if leads else "no longer runs")


def wake_unheard(**kwargs: Any) -> None:
    logger.warning(
        "notifications do not arrive, as behind a pooler that shares connections: jobs are found "
        "by polling"
    )


def trouble(*, error: Exception, doing: str, retry_in: float | None, **kwargs: Any) -> None:
    following = "" if retry_in is None else f"; trying again in {spelled(retry_in)}"
    logger.error(
        "database trouble while %s: %s%s",
        doing,
        str(error).strip() or type(error).__name__,
        following,
        extra={"doing": doing, "error": type(error).__name__, "retry_in_seconds": retry_in},
    )


def recovered(*, doing: str, after: timedelta, **kwargs: Any) -> None:
    logger.info(
        "the database is back after %s, %s again",
        spelled(after.total_seconds()),
        doing,
        extra={"doing": doing, "after_seconds": after.total_seconds()},
    )


RECEIVERS: Final[dict[Signal, Callable[..., None]]] = {
    signals.process_stopping: stopping,
    signals.process_stopped: stopped,
    signals.jobs_awaited: awaited,
    signals.process_lost: process_lost,
    signals.process_revived: revived,
    signals.process_troubled: troubled,
    signals.child_started: child_started,
    signals.forks_forgone: forks_forgone,
    signals.child_unborn: child_unborn,
    signals.child_ended: child_ended,
    signals.thread_failed: thread_failed,
    signals.service_failed: service_failed,
    signals.events_dropped: events_dropped,
    signals.clock_jumped: clock_jumped,
    signals.leadership_changed: leadership,
    signals.wake_unheard: wake_unheard,
    signals.database_trouble: trouble,
    signals.database_recovered: recovered,
}
