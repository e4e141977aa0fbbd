"""`POST /jobs`: a job comes in, if its kind is open to whoever sends it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import P, Status
from ninja.params import HeaderEx
from pydantic import ConfigDict, Field

from forge_jobs.api import idempotency
from forge_jobs.api.auth import TokenUser
from forge_jobs.api.jobs import router as router
from forge_jobs.api.problems import Problem, forbidden, invalid
from forge_jobs.api.reading import body_of
from forge_jobs.api.shapes import Body, Document, Id, Moment, Seconds
from forge_jobs.api.writing import as_one
from forge_jobs.enqueueing.enqueue import enqueue
from forge_jobs.exceptions import EnqueueError, UnknownQueue
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job
from forge_jobs.wording import listed, meant

Key = Annotated[str, Field(min_length=1, max_length=200)]
Labels = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=10)]
Ids = Annotated[list[Id], Field(max_length=100)]

KEY: Final = P(
    alias="Idempotency-Key",
    min_length=1,
    max_length=idempotency.LONGEST_KEY,
    pattern=r"^[\x21-\x7e]+$",
    description="The same key with the same body makes no second job, however often it comes.",
)

NONE_IS_OPEN: Final = "there is none: let one be declared with api=True, or named in your token."

IN_SECONDS: Final = {
    "delay_seconds": "delay",
    "timeout_seconds": "timeout",
    "expires_in_seconds": "expires_in",
}
"""What is called otherwise in Python, where it may also be a `timedelta`."""


class Order(Body):
    """A job to be; all but `kind` may be left out, and has the handler's default then."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "shop.send_receipt",
                    "payload": {"order_id": 4711},
                    "delay_seconds": 30,
                    "labels": ["checkout"],
                }
            ]
        }
    )

    kind: str = Field(max_length=200)
    payload: dict[str, Any] = Field({}, description="The handler's arguments, by name.")
    queue: str | None = Field(None, max_length=100)
    priority: int | None = Field(None, ge=-100, le=100, description="Higher runs first.")
    run_at: Moment | None = Field(None, description="With its offset from UTC.")
    delay_seconds: Seconds | None = None
    max_attempts: int | None = Field(None, ge=1, le=1_000_000)
    timeout_seconds: float | None = Field(None, gt=0, le=36_500 * 86_400.0)
    expires_at: Moment | None = None
    expires_in_seconds: float | None = Field(None, gt=0, le=36_500 * 86_400.0)
    dedupe_key: Key | None = Field(None, description="No other while an unfinished job has it.")
    on_duplicate: Literal["keep", "replace", "postpone"] = "keep"
    concurrency_key: Key | None = None
    labels: Labels = Field(default_factory=list)
    batch: Id | None = Field(None, description="It takes the permission change_batch.")
    after: Ids | None = Field(None, description="Jobs that must have succeeded before.")
    after_end: Ids | None = Field(None, description="Jobs that must have ended before.")
    after_failure: Ids | None = Field(None, description="Jobs that must have failed before.")

    def options(self) -> dict[str, Any]:
        """As `enqueue()` has them: what was not given is not said."""
        given = self.model_dump(exclude_unset=True, exclude={"kind", "payload"})
        return {
            IN_SECONDS.get(name, name): value for name, value in given.items() if value is not None
        }


class Receipt(Document):
    """The job, and whether it is a new one, or one that was there and was kept or changed."""

    id: Id
    became: Literal["new", "kept", "replaced", "postponed"]


@router.post(
    "/jobs",
    response={201: Receipt, 200: Receipt},
    summary="Enqueue a job",
    operation_id="enqueue",
)
def enqueue_job(
    request: HttpRequest,
    response: HttpResponse,
    order: Order,
    idempotency_key: HeaderEx[str | None, KEY] = None,
) -> Any:
    """201 if it is new, 200 if a key led to one that was there.

    Kinds are open that are declared with `api=True`, or that the token names. Who may not see jobs
    learns no more of one than its id.
    """
    user = request.user
    _refuse_strangers(user, order)
    asked: dict[str, Any] = body_of(request)
    key = idempotency.own_key(user, idempotency_key)
    job, became = _enqueued(user, order, key, asked)
    response.headers["Location"] = reverse("forge_jobs_api:job", args=[job.pk])
    return Status(201 if became == "new" else 200, {"id": job.pk, "became": became})


def may_enqueue(user: Any, handler: JobHandler | None) -> bool:
    """Whether somebody may have jobs of a kind made, with a payload of his own."""
    if handler is None or not handler.open_to_others:
        return False
    if isinstance(user, TokenUser) and handler.kind in user.token.kinds:
        return bool(user.owner.has_perm("forge_jobs.add_job"))
    return handler.api and bool(user.has_perm("forge_jobs.add_job"))


def refuse_closed(user: Any, kind: str) -> None:
    """The same answer for a kind that is not there and for one that is not open."""
    if may_enqueue(user, registry.find(kind)):
        return
    names = sorted(one.kind for one in registry.handlers() if may_enqueue(user, one))
    told = f"those are {listed(names)}.{meant(kind, names)}" if names else NONE_IS_OPEN
    raise invalid(("kind", f"kind is none that you may enqueue; {told}"))


def _refuse_strangers(user: Any, order: Order) -> None:
    names_kinds = isinstance(user, TokenUser) and bool(user.token.kinds)
    if not (names_kinds or user.has_perm("forge_jobs.add_job")):
        raise forbidden("It takes the permission forge_jobs.add_job.")
    refuse_closed(user, order.kind)
    if order.batch is not None and not user.has_perm("forge_jobs.change_batch"):
        raise forbidden("To add to a batch takes the permission forge_jobs.change_batch.")
    comes_after = order.after or order.after_end or order.after_failure
    if comes_after and not user.has_perm("forge_jobs.view_job"):
        raise forbidden("To come after jobs takes the permission forge_jobs.view_job.")


def _enqueued(user: Any, order: Order, key: str | None, asked: dict[str, Any]) -> tuple[Job, str]:
    """The job, and what became of the request; the key is looked for only where it matters."""
    if order.dedupe_key and (job := idempotency.earlier(key, asked)):
        return job, "kept"  # whatever job has the `dedupe_key` by now
    try:
        job = _stored(user, order, key, asked)
    except Problem:
        if job := idempotency.earlier(key, asked):
            return job, "kept"  # what is refused now was good when it first came
        raise
    return job, _became(job)


def _stored(user: Any, order: Order, key: str | None, asked: dict[str, Any]) -> Job:
    context = idempotency.origin(user, key, asked)
    options = order.options()

    def stored() -> Job:
        job = enqueue(order.kind, order.payload, idempotency_key=key, context=context, **options)
        if job.was_deduplicated and key and job.idempotency_key == key:
            idempotency.refuse_other(job, asked)
        return job

    try:
        # Of a job that is there already, a change is taken back where the key is refused.
        return as_one(stored) if order.dedupe_key else stored()
    except UnknownQueue as error:
        told = str(error) if user.has_perm("forge_jobs.view_queue") else "queue is not declared."
        raise invalid(("queue", told)) from None
    except EnqueueError as error:
        field = {python: name for name, python in IN_SECONDS.items()}.get(error.field, error.field)
        raise invalid((field, str(error))) from None


def _became(job: Job) -> str:
    if not job.was_deduplicated:
        return "new"
    if job.was_replaced:
        return "replaced"
    return "postponed" if job.was_postponed else "kept"
