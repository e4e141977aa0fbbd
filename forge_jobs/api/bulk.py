"""Many jobs at a time: by their ids or by a filter, foreseen or done."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import ConfigDict, Field, model_validator

from forge_jobs import clock
from forge_jobs.admin.job_acts import ACTS, JobAct
from forge_jobs.admin.job_bulk import ACROSS, LARGEST_TICKED, TICKED, BulkRequest
from forge_jobs.api.jobs import FILTERS, Filters, job_filter
from forge_jobs.api.problems import forbidden
from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import Body, Document, Id, Reason
from forge_jobs.models import Job

router: Final = Router(tags=["Jobs"])

Act = Literal["requeue", "run-now", "cancel", "kill", "delete"]
NAMED: Final = 100


class Which(Filters):
    """Jobs that fit everything that is said."""

    model_config = ConfigDict(extra="forbid")


class BulkOrder(Body):
    """Which jobs: `ids`, or a `filter`, of which `{}` is every job; and whether only to look."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"filter": {"state": "dead", "kind": "shop.*"}, "dry_run": True}]
        }
    )

    dry_run: bool = Field(description="If true, nothing is changed: it is told what would be.")
    ids: Annotated[list[Id], Field(min_length=1, max_length=LARGEST_TICKED)] | None = None
    filter: Which | None = None
    reason: Reason = ""

    @model_validator(mode="after")
    def refuse_both(self) -> BulkOrder:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("Say which jobs: give either ids or a filter.")
        return self


class BulkDone(Document):
    """How many jobs were changed, or would be, and the ids given that are in no state for it."""

    dry_run: bool
    count: int
    detail: str = Field(examples=["12 jobs would be requeued."])
    left_out: list[str]


@router.post(
    "/jobs/bulk/{act}",
    response=BulkDone,
    operation_id="steer_jobs",
    summary="Requeue, run now, cancel, kill or delete many jobs",
)
def steer_jobs(request: HttpRequest, act: Act, order: BulkOrder) -> dict[str, Any]:
    """Each job is changed as a whole; of very many, some are done before others."""
    deed = next(one for one in ACTS if one.name == act.replace("-", "_"))
    seat = Seat.looking(request, Job)
    if not deed.is_allowed(request):
        raise forbidden(f"It takes the permission forge_jobs.{deed.permission}.")
    return _done(seat, deed, order)


def _done(seat: Seat, deed: JobAct, order: BulkOrder) -> dict[str, Any]:
    said = order.filter.model_dump(include=set(FILTERS)) if order.filter else {}
    posted = {TICKED: order.ids or [], ACROSS: "0" if order.ids else "1", "reason": order.reason}
    bulk = BulkRequest(seat.admin, seat.asked(posted), job_filter(said))
    operation = bulk.operation(deed)
    left_out = operation.selection.left_out()[:NAMED]
    if order.dry_run:
        foreseen = operation.foresee(now=clock.now())
    else:
        foreseen = bulk.carry_out(deed, operation)
    return {
        "dry_run": order.dry_run,
        "count": foreseen.count,
        "detail": foreseen.told,
        "left_out": left_out,
    }
