"""Gives back the jobs of processes that are gone."""

from datetime import datetime

from forge_jobs import db, wake
from forge_jobs.models import Job, Process
from forge_jobs.settlement import lost


def reclaim(process: Process, *, now: datetime) -> int:
    """Give back what a lost process was running, then forget the process.

    The attempt is spent, for the job may be what killed the process; a job without further
    attempts is dead. Returns how many jobs were given back.
    """
    message = f"Process {process.name} (pid {process.pid} on {process.host}) was lost."
    running = list(
        Job.objects.claimed_by(process).values_list("id", "attempt", "max_attempts", "queue")
    )
    transitions = [
        lost(job_id=pk, attempt=attempt, max_attempts=limit, message=message, now=now)
        for pk, attempt, limit, _ in running
    ]
    given_back = Job.objects.finalize(transitions, process=process) if transitions else ()
    process.delete(using=db.connection().alias)
    for queue in {queue for *_, queue in running}:
        wake.send(queue)
    return len(given_back)
