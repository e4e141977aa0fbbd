"""What is so when a reader comes to a page: handlers that it speaks of, and rows that it shows."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scene:
    """`files` are added to the shop, `typed` is typed into its shell."""

    files: dict[str, str] = field(default_factory=dict)
    typed: str = ""


CLEAN_SESSIONS = """\
from forge_jobs import job


@job(kind="sessions.clean")
def clean_sessions() -> None: ...
"""

TWO_DATABASES = """\
DATABASES["jobs"] = {**DATABASES["default"], "NAME": BASE_DIR / "jobs.sqlite3"}
WAREHOUSE_URL = SMS_URL = "http://127.0.0.1:9/"
"""

MORE_HANDLERS = """\
from forge_jobs import job


@job(max_attempts=1)
def tell_warehouse(*, order_id: int) -> None: ...


@job
def report(*, days: int) -> None: ...


@job
def close_day() -> None: ...
"""

MORE_QUEUES = """\
from datetime import timedelta

FORGE_JOBS = {
    "QUEUES": {
        "default": {},
        "crm": {"budget": "crm", "retain_succeeded": timedelta(days=1)},
        "reports": {"max_workers": 4},
    },
    "BUDGETS": {"crm": {"capacity": 10, "refill_per_second": 5}},
    "PROCESS_TIMEOUT": 600,
}
"""

A_DAY_OF_WORK = """\
from datetime import timedelta

from django.utils import timezone

from forge_jobs.models import Batch, Job, Lease, Process, Queue, Schedule

now = timezone.now()
ago = lambda **span: now - timedelta(**span)
host = {"host": "web1", "version": "0.1.0", "queues": ["crm", "default", "reports"], "threads": 2}
host |= {"started_at": ago(hours=1), "heartbeat_at": now, "rss_bytes": 42 << 20}
host |= {"seconds_after_boot": 0.0, "kinds": ["orders.close_day", "orders.send_receipt"]}
first = Process.objects.create(name="jobs.1", pid=24505, **host)
second = Process.objects.create(name="jobs.2", pid=24506, running=1, **host)
Lease.objects.create(name="services", process=first, expires_at=now + timedelta(minutes=5))

receipt = {"queue": "default", "kind": "orders.send_receipt", "payload": {"order_id": 1}}
ended = {"attempt": 1, "max_attempts": 1}
succeeded = {"run_at": ago(days=8), "started_at": ago(days=8), "finished_at": ago(days=8)}
error = "ConnectionRefusedError: [Errno 111] Connection refused"
traceback = f'''Traceback (most recent call last):
  File "/srv/shop/venv/lib/forge_jobs/runtime/running/worker.py", line 1, in run
  File "/srv/shop/orders/jobs.py", line 14, in tell_warehouse
    raise ConnectionRefusedError("[Errno 111] Connection refused")
{error}'''
moment = ago(seconds=8)
dead = {"run_at": moment, "started_at": moment, "finished_at": now, "enqueued_at": moment}
errors = [{"at": moment.isoformat(), "attempt": 1, "message": error, "traceback": traceback}]
dead |= {"kind": "orders.tell_warehouse", "last_error": error, "errors": errors}
later = now + timedelta(hours=1)
running = {"process": second, "started_at": now, "run_at": now, "attempt": 1}
Job.objects.bulk_create(
    [
        *(Job(state="succeeded", **receipt | ended | succeeded) for _ in range(1284)),
        *(Job(state="dead", **receipt | ended | dead) for _ in range(3)),
        *(Job(state="scheduled", **receipt | {"run_at": later}) for _ in range(12)),
        Job(state="running", **receipt | running | {"kind": "orders.close_day", "payload": {}}),
        Job(state="ready", **receipt | {"queue": "mail", "run_at": ago(seconds=6)}),
        Job(state="scheduled", **receipt | {"run_at": later}),
    ]
)
cooling = {"throttled_at": now, "throttled_until": now + timedelta(minutes=5)}
Queue.objects.create(name="crm", budget="crm", retain_succeeded_seconds=86400, **cooling)
Queue.objects.create(name="default")
Queue.objects.create(name="reports", max_workers=4, is_paused=True)
opened = ago(minutes=9)
sealed = {"opened_at": opened, "sealed_at": opened, "expires_at": later}
counts = {"succeeded": 1284, "dead": 3}
november = {"name": "import of November", "state": "failed", "ended_at": ago(minutes=4)}
Batch.objects.create(counts=counts, **sealed | november)
Batch.objects.create(name="import of December", opened_at=ago(minutes=2), expires_at=later)
Schedule.objects.create(
    name="clean sessions",
    kind="sessions.clean",
    expression="0 3 * * *",
    timezone="Europe/Berlin",
    source="code",
    next_fire_at=now + timedelta(hours=6),
    last_fired_at=ago(hours=18),
    skipped=2,
    last_skipped_at=ago(days=2, hours=17),
)
"""

A_SCHEDULE = """\
from forge_jobs.models import Schedule

Schedule.objects.create(name="clean sessions", kind="sessions.clean", expression="0 3 * * *")
"""

LANGUAGE = """\
def language(ctx):
    yield
"""

TWO_QUEUES = """\
FORGE_JOBS = {"QUEUES": {"default": {}, "mail": {}}}
"""

SCENES = {
    "operations": Scene(
        files={"settings.py": MORE_QUEUES, "orders/jobs.py": MORE_HANDLERS}, typed=A_DAY_OF_WORK
    ),
    "running": Scene(files={"settings.py": TWO_QUEUES}),
    "schedules": Scene(files={"orders/jobs.py": CLEAN_SESSIONS}, typed=A_SCHEDULE),
    "settings": Scene(
        files={
            "settings.py": TWO_DATABASES,
            "orders/jobs.py": CLEAN_SESSIONS,
            "shop/billing/work.py": "",
            "shop/middleware.py": LANGUAGE,
        }
    ),
}
