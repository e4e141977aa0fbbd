"""The description of the API, as OpenAPI 3.1; `python -m forge_jobs.api.openapi` prints it."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from typing import Any, Final

from forge_jobs.api.problems import MEDIA_TYPE
from forge_jobs.api.shapes import ProblemDocument

USUAL_ADDRESS: Final = "/jobs/api"

PROBLEMS: Final = {
    400: ("BadRequest", "The request can't be understood."),
    401: ("Unauthorized", "It is not known who asks."),
    403: ("Forbidden", "Whoever asks may not do that."),
    404: ("NotFound", "There is no such thing."),
    409: ("Conflict", "Things are not as they would have to be, so nothing was changed."),
    413: ("TooLarge", "The body is too large."),
    415: ("NotJSON", "The body is not JSON."),
    422: ("Invalid", "Something is not as it must be; `errors` has the fields."),
    503: ("Unavailable", "The database can't be reached, or is busy: try again."),
}
ALWAYS: Final = (400, 401, 403, 422, 503)
OF_CHANGES: Final = (409, 413, 415)
CONTENT: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}


def described(address: str) -> dict[str, Any]:
    """As it is where the API is at this address."""
    return {**deepcopy(_described()), "servers": [{"url": address}]}


def as_text() -> str:
    return json.dumps(described(USUAL_ADDRESS), indent=2, ensure_ascii=False) + "\n"


@cache
def _described() -> dict[str, Any]:
    from forge_jobs.api.site import api

    schema: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="")))
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            _add_problems(operation, method=method, has_name="{" in path)
    schemas = schema["components"]["schemas"]
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"ProblemDocument": problem}
    schema["paths"] = dict(sorted(schema["paths"].items()))
    schema["components"] |= {
        "schemas": dict(sorted(schemas.items())),
        "responses": {
            name: {"description": words, "content": CONTENT} for name, words in PROBLEMS.values()
        },
    }
    return schema


def _add_problems(operation: dict[str, Any], *, method: str, has_name: bool) -> None:
    if operation["operationId"] == "get_ready":
        statuses: tuple[int, ...] = (400, 503)
        operation["security"] = []
    else:
        statuses = (
            *ALWAYS,
            *(OF_CHANGES if method != "get" else ()),
            *((404,) if has_name else ()),
        )
    responses = operation["responses"]
    for status in statuses:
        name, _ = PROBLEMS[status]
        if known := responses.get(str(status)):
            known["content"] |= CONTENT
        else:
            responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = dict(sorted(responses.items()))


if __name__ == "__main__":
    import sys

    import django

    django.setup()
    sys.stdout.write(as_text())
