"""Rows are looked at and steered, by the verbs of their managers and row sets."""

from datetime import UTC, datetime, timedelta
from typing import assert_type

from forge_jobs.models import (
    Batch,
    Job,
    JobEvent,
    Lease,
    Process,
    ProcessGauge,
    Queue,
    RateLimitBudget,
    Schedule,
    Share,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

# Managers know the verbs of their rows, and what comes of them.
assert_type(Job.objects.get(pk=1), Job)
assert_type(Job.objects.running().first(), Job | None)
assert_type(Job.objects.filter(queue="mail").cancel("too late", by="ada"), int)
assert_type(Job.objects.filter(queue="mail").order_by("pk").select_for_update().kill(), int)
assert_type(Job.objects.exclude(queue="mail").waiting().run_now(), int)
assert_type(Job.objects.get(pk=1).requeue(by="ada"), bool)
assert_type(Queue.objects.pause("mail"), bool)
assert_type(Queue.objects.filter(name="mail").first(), Queue | None)
assert_type(Process.objects.live(now=NOON).stop(by="ada"), int)
assert_type(Schedule.objects.due(now=NOON).first(), Schedule | None)
assert_type(Schedule.objects.get(name="nightly").trigger(by="ada"), Job | None)
assert_type(RateLimitBudget.objects.drain("api", pause=timedelta(minutes=1)), None)
assert_type(Lease.objects.holder("services", now=NOON), int | None)
assert_type(Batch.objects.get(pk=1).jobs.first(), Job | None)
assert_type(Batch.objects.get(pk=1).all_jobs().counts(), dict[str, int])
assert_type(Share.objects.first(), Share | None)
assert_type(JobEvent.objects.first(), JobEvent | None)
assert_type(ProcessGauge.objects.first(), ProcessGauge | None)
names: list[str] = [queue.name for queue in Queue.objects.all()]
stored: list[Job] = list(Job.objects.using("default").finished())

# What they don't know, they don't take.
# expect plugin error: Cannot resolve keyword 'nonsense' into field
Job.objects.filter(nonsense=1)
# expect error: has no attribute "klil"
Job.objects.filter(queue="mail").klil("too late")
# expect error: has no attribute "klil"
Job.objects.klil("too late")
# expect error: has no attribute "klil"
Job.objects.running().order_by("pk").klil("too late")
# expect error: Unexpected keyword argument "why"
Job.objects.running().cancel(why="too late")
# expect error: Argument "by"
Job.objects.cancel(by=7)
# expect error: "JobManager" has no attribute "__iter__"
for job in Job.objects:
    job.cancel()
# expect error: Missing named argument "now"
Process.objects.live()
# expect error: incompatible type "str"
Process.objects.live(now="noon")
# expect error: has no attribute "kill"
Process.objects.all().kill()
# expect plugin error: Cannot resolve keyword 'nonsense' into field
Queue.objects.filter(nonsense=1)
# expect error: Missing positional argument "name"
Queue.objects.pause()
# expect error: has no attribute "pause"
Queue.objects.filter(name="mail").pause()
# expect error: has no attribute "fire"
Schedule.objects.due(now=NOON).fire()
# expect error: "Schedule" has no attribute "fire"
Schedule.objects.get(name="nightly").fire()
# expect error: Missing named argument "pause"
RateLimitBudget.objects.drain("api")
