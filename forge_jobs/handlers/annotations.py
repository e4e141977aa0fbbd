"""Which annotations say what an argument is: found, and looked at before they are relied on."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import Enum
from types import SimpleNamespace
from typing import Any, NoReturn

import msgspec.inspect
from msgspec.inspect import CustomType, Field, Type

from forge_jobs.exceptions import InvalidHandler
from forge_jobs.handlers.losses import is_model

MUTE: typing.Final = (inspect.Parameter.empty, Any, object)
"""What says nothing: such an argument stays JSON."""


def found(function: Callable[..., Any], *, names: Collection[str], kind: str) -> dict[str, Any]:
    """Those of some parameters that say what these are; raises `InvalidHandler`."""
    known = getattr(inspect.unwrap(function), "__globals__", {})
    parameters = inspect.signature(function).parameters.values()
    every = {one.name: _evaluated(one, known, kind=kind) for one in parameters if one.name in names}
    usable = {name: annotation for name, annotation in every.items() if annotation not in MUTE}
    for name, annotation in usable.items():
        _refuse_unusable(name, annotation, kind=kind)
    return usable


def shape(types: Mapping[str, Any]) -> Any:
    """What msgspec makes of arguments, of which any may be left out; raises `TypeError`."""
    return typing.TypedDict("Arguments", dict(types), total=False)  # type: ignore[operator] # they are found out here


def written(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _refuse_unusable(name: str, annotation: Any, *, kind: str) -> None:
    """Raise `InvalidHandler` for what JSON has no form for, or more than one."""
    try:
        parts = list(_parts(msgspec.inspect.type_info(shape({name: annotation}))))
    except (TypeError, NameError, AttributeError) as error:
        _refuse(name, annotation, str(error), kind=kind)
    for part in parts:
        # An enumeration whose metaclass is not Enum's own, such as Django's choices, is one, too.
        if isinstance(part, CustomType) and not (is_model(part.cls) or issubclass(part.cls, Enum)):
            why = f"JSON has no form for {part.cls.__qualname__}; let it take what identifies one"
            _refuse(name, annotation, why, kind=kind)


def _evaluated(parameter: inspect.Parameter, names: dict[str, Any], *, kind: str) -> Any:
    given = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    if parameter.annotation in MUTE:
        return parameter.annotation
    try:
        return typing.get_type_hints(given, names, include_extras=True)[parameter.name]
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        why = f"{error}; import what it names where the module is run, not for type checkers alone"
        _refuse(parameter.name, parameter.annotation, why, kind=kind)


def _refuse(name: str, annotation: Any, why: str, *, kind: str) -> NoReturn:
    raise InvalidHandler(
        f"{name} of {kind} can't be validated by its annotation, {written(annotation)}: {why}.",
        field="validate",
    )


def _parts(info: Any, seen: set[int] | None = None) -> Iterator[Type]:
    """A type, and those that it is made of."""
    seen = set() if seen is None else seen
    info = info.type if isinstance(info, Field) else info
    if not isinstance(info, Type) or id(info) in seen:
        return
    seen.add(id(info))
    yield info
    for name in info.__struct_fields__:
        value = getattr(info, name)
        for part in value if isinstance(value, tuple) else (value,):
            yield from _parts(part, seen)
