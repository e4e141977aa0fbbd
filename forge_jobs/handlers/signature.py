"""What a function takes: the names of the payload, and the context; what can't be is refused."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Sequence
from inspect import Parameter
from typing import Any, Final, NamedTuple, Self

from forge_jobs.exceptions import InvalidHandler, InvalidPayload
from forge_jobs.wording import MOST_NAMES, listed, meant, quoted

CONTEXT: Final = "JobContext"
CALLED_CONTEXT: Final = ("ctx", "context")
BY_PLACE: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
VARIADIC: Final = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
PLAIN: Final = frozenset({"str", "int", "float", "bool", "list", "dict"})
"""Annotations of what comes from a payload: none of them is a context."""


class Signature(NamedTuple):
    """`context` is the parameter that takes it, empty if none does; `rest` that of `**names`.

    `places` are the names that may also be given by their place, in order.
    """

    places: tuple[str, ...]
    named: frozenset[str]
    required: frozenset[str]
    rest: str
    context: str

    @classmethod
    def of(cls, function: Callable[..., Any], *, takes_context: bool) -> Self:
        """Raises `InvalidHandler`."""
        parameters = _parameters(function)
        name = function.__qualname__
        context = _context(parameters, name) if takes_context else ""
        rest = parameters[1:] if context and parameters[0].kind in BY_PLACE else parameters
        _refuse_misplaced(rest, name, takes_context=takes_context)
        if any(one.kind is Parameter.POSITIONAL_ONLY for one in rest):
            raise InvalidHandler(
                f"{name} has positional-only parameters; a job's payload is passed by keyword: "
                f"remove the slash.",
                field="function",
            )
        named = [one for one in rest if one.kind not in VARIADIC]
        return cls(
            places=tuple(one.name for one in named if one.kind in BY_PLACE),
            named=frozenset(one.name for one in named),
            required=frozenset(one.name for one in named if one.default is one.empty),
            rest=next((one.name for one in rest if one.kind is Parameter.VAR_KEYWORD), ""),
            context=context,
        )


def refuse_no_function(function: object) -> None:
    """Raise `InvalidHandler` unless it is a function that `@job` can make a handler of."""
    if isinstance(function, str):
        why = f"takes a function, not {quoted(function)}. A kind is given as @job(kind=...)"
    elif isinstance(function, type):
        why = f"takes a function, not the class {function.__qualname__}: let it inherit from "
        why += "JobHandler, and register() an instance"
    elif hasattr(function, "kind") and hasattr(function, "enqueue"):
        why = f"has made {quoted(function)} a handler already: remove one of the two"
    elif isinstance(function, classmethod | functools.partial) or not _has_code(function):
        why = f"takes a function, not {quoted(function)}: write one that calls it"
    elif inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        why = f"can't run {_name(function)}: it yields, so that nobody would run its body"
    else:
        return
    raise InvalidHandler(f"@job {why}.", field="function")


def _has_code(function: object) -> bool:
    return callable(function) and hasattr(inspect.unwrap(function), "__code__")


def _name(function: object) -> str:
    name: str = getattr(function, "__qualname__", "it")
    return name


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    parameters = list(inspect.signature(function).parameters.values())
    holder = function.__qualname__.rpartition(".")[0]
    is_in_class = bool(holder) and not holder.endswith("<locals>")
    if is_in_class and parameters and parameters[0].name in ("self", "cls"):
        raise InvalidHandler(
            f"@job on the method {function.__qualname__}: nobody is there to be its "
            f"{parameters[0].name}. Make it a function, or let the class inherit from JobHandler "
            f"and register() an instance.",
            field="function",
        )
    return parameters


def _context(parameters: list[Parameter], name: str) -> str:
    if not parameters:
        raise InvalidHandler(
            f"{name} takes_context, but has no parameter: write {name}(ctx), or leave out "
            f"takes_context.",
            field="takes_context",
        )
    first = parameters[0]
    if first.kind is Parameter.VAR_POSITIONAL:
        return f"*{first.name}"
    if first.kind not in BY_PLACE or _annotation(first) in PLAIN:
        raise InvalidHandler(
            f"{name} takes_context, but its first parameter is {first}, which can't take it: "
            f"write {name}(ctx, ...), or leave out takes_context.",
            field="takes_context",
        )
    return first.name


def _refuse_misplaced(parameters: list[Parameter], name: str, *, takes_context: bool) -> None:
    for one in parameters:
        if _annotation(one) == CONTEXT:
            mend = "make it the first parameter"
            if not takes_context:
                mend = f"decorate {name} with @job(takes_context=True), and {mend}"
            raise InvalidHandler(
                f"{one.name} of {name} is a JobContext, which no payload holds: {mend}.",
                field="takes_context",
            )


def _annotation(parameter: Parameter) -> str:
    """The name of the class, also where annotations are texts."""
    given = parameter.annotation
    told = given if isinstance(given, str) else getattr(given, "__name__", "")
    return str(told).rpartition(".")[2]


def misfit(
    kind: str, payload: dict[str, Any], takes: Signature, *, options: Collection[str]
) -> str:
    """What is wrong with a payload, and what was probably meant."""
    missing = sorted(takes.required - payload.keys())
    beyond = [] if takes.rest else sorted(payload.keys() - takes.named, key=quoted)
    faults = [f"{quoted(name)} is missing" for name in missing]
    faults += [f"{quoted(name)} is unexpected" for name in beyond]
    names = listed(sorted(takes.named)) if takes.named else "no arguments"
    hints = [_hint(name, takes, options) for name in beyond]
    hints += [
        f" For {name} to be the JobContext, decorate the function with @job(takes_context=True)."
        for name in missing
        if name in CALLED_CONTEXT and not takes.context
    ]
    told = "".join(dict.fromkeys(hints[:MOST_NAMES]))
    return f"payload does not fit {kind}: {listed(faults)}. It takes {names}.{told}"


def by_place(
    kind: str, takes: Signature, given: Sequence[Any], payload: dict[str, Any]
) -> dict[str, Any]:
    """A payload with what was given by its place under its name; raises `InvalidPayload`."""
    if len(given) == 1 and not payload and _is_payload(given[0], takes):
        raise InvalidPayload(by_name(kind), field="payload")
    names = takes.places[: len(given)]
    if not names and given:
        told = listed(f"{name}=..." for name in sorted(takes.named)) if takes.named else ""
        raise InvalidPayload(
            f"payload does not fit {kind}: its arguments are given by name. Write enqueue({told}).",
            field="payload",
        )
    if len(given) > len(names):
        raise InvalidPayload(
            f"payload does not fit {kind}: {len(given)} arguments are given by their place, and it "
            f"takes {len(names)} so: {listed(takes.places)}.",
            field="payload",
        )
    for name in names:
        if name in payload:
            raise InvalidPayload(
                f"payload does not fit {kind}: {name!r} is given twice, by its place and by name.",
                field="payload",
            )
    return dict(zip(names, given, strict=True)) | payload


def _is_payload(given: Any, takes: Signature) -> bool:
    """Whether somebody has probably left out two stars."""
    return isinstance(given, dict) and bool(given) and given.keys() <= takes.named


def by_name(kind: str) -> str:
    """What to write instead of positional arguments, where places have no names."""
    return (
        f"payload of {kind} is given by name: enqueue(name=...), or enqueue(**payload) where it is "
        f"a dictionary."
    )


def _hint(name: object, takes: Signature, options: Collection[str]) -> str:
    if name in options:
        return f" {name} is an option of jobs: write using({name}=...).enqueue(...)."
    if name == takes.context:
        return (
            f" {name} is the parameter that takes the context: put one for that before it, or "
            f"leave out takes_context."
        )
    return meant(name, takes.named)
