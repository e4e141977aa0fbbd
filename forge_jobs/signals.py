"""What happens in a process, for whoever wants to know; sent with `send_robust`.

`job` is a `ClaimedJob`, `process` the name of the sending process.
"""

from django.dispatch import Signal

job_started = Signal()
"""A worker starts to run a job: `job`."""

job_finished = Signal()
"""The outcome of a run is stored: `job`, `transition`, `outcome`, `seconds`."""

claim_lost = Signal()
"""A run ended after its claim had gone to somebody else; its outcome was refused: `job`."""

process_started = Signal()
"""A process is about to claim its first job: `engine`."""

process_stopping = Signal()
"""A process stops claiming: `reason`."""

thread_failed = Signal()
"""A thread ended by an error that nobody foresaw, and its process stops: `thread`, `error`."""

process_stopped = Signal()
"""A process has signed off: `engine`."""

database_trouble = Signal()
"""The database refused a statement that will be tried again: `error`, `doing`, `retry_in`."""

database_recovered = Signal()
"""The database answers again: `doing`, `after` (a timedelta)."""
