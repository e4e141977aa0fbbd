"""All of the API in one place: what there is, and how it is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.security.base import AuthBase

from forge_jobs.api import batches, budgets, bulk, processes, queues, schedules, status
from forge_jobs.api.enqueueing import router as jobs
from forge_jobs.api.problems import Problem
from forge_jobs.api.reading import ReadParser
from forge_jobs.api.writing import JSONRenderer

VERSION: Final = "1.0"
PREFIX: Final = "Value error, "
"""What pydantic puts before a sentence that is not its own."""
DESCRIPTION: Final = """\
Enqueue jobs, and steer them, with the permissions of the project's admin.

Send a token, `Authorization: Bearer fjt_...`; they are made in the admin. Or a session of the
admin's: then what changes something needs the CSRF token as `X-CSRFToken`.

Whatever is wrong is told as `application/problem+json`. Within a version fields are only ever
added: pass over those that you do not know.
"""


class Token(AuthBase):
    """For the description alone: the door has asked already."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_description = "A token that was made in the admin."

    def __call__(self, request: HttpRequest) -> Any:
        return request.user


class Session(AuthBase):
    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = "sessionid"
    openapi_description = "A session of somebody who may enter the admin."

    def __call__(self, request: HttpRequest) -> Any:
        return request.user


api: Final = NinjaAPI(
    title="forge_jobs",
    version=VERSION,
    description=DESCRIPTION,
    openapi_url=None,
    auth=[Token(), Session()],
    parser=ReadParser(),
    renderer=JSONRenderer(),
    urls_namespace="forge_jobs_api",
)
for _router in (
    *(jobs, bulk.router, queues.router, processes.router),
    *(schedules.router, budgets.router, batches.router, status.router),
):
    api.add_router("", _router)


def _told(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem.response()


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [(_field(one["loc"]), _reason(one)) for one in error.errors]
    detail = "; ".join(f"{field}: {reason}" for field, reason in faults[:3])
    return Problem(422, "invalid", detail, faults=faults).response()


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    code = {400: "bad-request", 401: "unauthorized"}.get(error.status_code, "invalid")
    return Problem(error.status_code, code, str(error)).response()


def _raised(request: HttpRequest, error: Exception) -> HttpResponse:
    """To the door, which knows what to do."""
    raise error


def _field(place: tuple[Any, ...]) -> str:
    """`body.order.payload` is `payload` to whoever sent it, and `body.order` all of the body."""
    source, *names = place
    inner = names[1:] if source == "body" else names
    return ".".join(map(str, inner or [source]))


def _reason(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "There is no such field."
    return str(error["msg"]).removeprefix(PREFIX)


HANDLERS: Final[Mapping[type[Exception], Callable[[HttpRequest, Any], HttpResponse]]] = {
    Problem: _told,
    ValidationError: _invalid,
    HttpError: _http_error,
    Exception: _raised,
}
for _class, _handler in HANDLERS.items():
    api.add_exception_handler(_class, _handler)
