"""What is sent and answered, as far as several tables share it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from forge_jobs.api.problems import invalid

LARGEST_ID: Final = 2**63 - 1

Id = Annotated[int, Field(ge=1, le=LARGEST_ID, examples=[1742])]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Page = Annotated[int, Field(ge=1, le=1_000_000)]
Words = Annotated[str, Field(max_length=200)]


def _written_out(value: object) -> object:
    """Digits alone would be taken for seconds since 1970: 20261231 for an August of that year."""
    if value is not None and not (isinstance(value, str) and "-" in value[1:]):
        raise ValueError("a moment is written as 2026-12-31T09:30:00+01:00")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), Field(strict=False)]
Seconds = Annotated[float, Field(ge=0, le=36_500 * 86_400.0)]
Reason = Annotated[
    str, Field(max_length=500, description="It is kept, and a handler that runs is told.")
]
StateName = Literal[
    "scheduled",
    "ready",
    "blocked",
    "held",
    "running",
    "retrying",
    "succeeded",
    "dead",
    "cancelled",
]


class Document(BaseModel):
    """What is answered; django-ninja's own `Schema` would look at each of its values in Python."""


class Body(BaseModel):
    """What is sent: numbers as such, and no name that is not known, for it is a typing error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """The same in an address."""

    @model_validator(mode="before")
    @classmethod
    def refuse_unknown_and_repeated(cls, values: Any, info: ValidationInfo) -> Any:
        asked = dict(info.context["request"].GET.lists()) if info.context else {}
        for name, given in sorted(asked.items()):
            if name not in cls.model_fields:
                known = ", ".join(cls.model_fields)
                raise invalid(
                    (name[:100], f"{name[:100]} is no parameter here; there are {known}.")
                )
            if len(given) > 1:
                raise invalid((name, f"{name} is given {len(given)} times: give it once."))
        return values


class Numbered(Query):
    """Which page of a list, and what to look for."""

    q: Words = Field("", description="A part of the name.")
    page: Page = 1


class Done(Document):
    """`detail` says in a sentence what was done."""

    detail: str = Field(examples=["The queue mail is paused."])


class Why(Body):
    reason: Reason = ""


UNSAID: Final = Why()


class Fault(Document):
    field: str = Field(examples=["payload"])
    reason: str


class ProblemDocument(Document):
    """RFC 9457; `errors` names the fields that are wrong, if any are."""

    type: str = Field(examples=["urn:forge-jobs:problem:invalid"])
    title: str
    status: int = Field(examples=[422])
    detail: str
    errors: list[Fault]
