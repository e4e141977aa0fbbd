"""The handlers that tests and the processes they start run."""

from forge_jobs import job


@job
def noop() -> None:
    pass
