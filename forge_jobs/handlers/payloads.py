"""Arguments by their annotations: checked and made JSON at enqueue, made real again for a run.

msgspec converts; what is found out beside it is what would get lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Self

import msgspec

from forge_jobs.exceptions import InvalidPayload, UnreadablePayload
from forge_jobs.handlers import exact, losses
from forge_jobs.handlers.annotations import found, written
from forge_jobs.handlers.annotations import shape as shape_of
from forge_jobs.handlers.losses import Loss, is_model
from forge_jobs.handlers.paths import spelled
from forge_jobs.handlers.signature import Signature
from forge_jobs.wording import quoted

PLACES: Final = re.compile(r" - at (?:`key[^`]*` in )?`\$([^`]*)`")


@dataclass(frozen=True)
class Arguments:
    """What the annotations of a function say; what has none stays JSON.

    `rest` is that of `**names`, and `names` are those that it does not go for.
    """

    kind: str
    names: frozenset[str]
    types: Mapping[str, Any]
    rest: Any
    shape: Any

    @classmethod
    def of(cls, function: Callable[..., Any], *, kind: str, takes: Signature) -> Self:
        """Raises `InvalidHandler` for an annotation that can't be used."""
        types = found(function, names=takes.named | {takes.rest}, kind=kind)
        rest = types.pop(takes.rest, None)
        shape = shape_of(types)
        _converted({}, shape)  # so that all parts of it are read now as well
        return cls(kind, takes.named, types, rest, shape)

    def stored(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """As JSON has them, any of them; raises `InvalidPayload`."""
        shape, given = self._typed(payload)
        try:
            kept = self._real(given, shape)
            plain = {name: self._plain(name, value) for name, value in kept.items()}
            back = self._real(plain, shape)  # looks into what were objects before, too
            for name in given:
                for loss in losses.all_of(given[name], kept[name], plain[name], back[name], name):
                    raise self._misfit(loss)
        except RecursionError:
            raise InvalidPayload(
                f"payload does not fit {self.kind}: it is nested too deeply, or holds itself.",
                field="payload",
            ) from None
        return {**payload, **plain}

    def read(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """As their annotations want them; raises `UnreadablePayload`."""
        shape, stored = self._typed(payload)
        try:
            return {**payload, **_converted(stored, shape)}
        except msgspec.ValidationError as error:
            path, reason = _loss(error, stored, shape)
            raise UnreadablePayload(
                f"The stored payload does not fit {self.kind}: at {path}, {reason}. The annotation "
                f"is {self._wanted(path)}: let it take what was stored as well."
            ) from None

    def _typed(self, payload: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Those with an annotation, and what they should be."""
        if self.rest is None:
            return self.shape, {name: payload[name] for name in payload if name in self.types}
        free = {name: self.rest for name in payload if name not in self.names}
        types = {**self.types, **free}
        return shape_of(types), {name: payload[name] for name in payload if name in types}

    def _real(self, given: dict[str, Any], shape: Any) -> dict[str, Any]:
        try:
            return _converted(given, shape)
        except msgspec.ValidationError as error:
            kept = _taken_exactly(given, shape)
            if kept is None:
                raise self._misfit(_loss(error, given, shape)) from None
            return kept

    def _plain(self, name: str, value: Any) -> Any:
        try:
            return msgspec.to_builtins(value, str_keys=True, enc_hook=_dumped)
        except (TypeError, ValueError):  # the latter of pydantic's, such as bytes that are no text
            reason = f"{quoted(value)} is or holds what JSON has no form for"
            raise self._misfit(Loss(name, reason)) from None

    def _misfit(self, loss: Loss) -> InvalidPayload:
        return InvalidPayload(
            f"payload does not fit {self.kind}: at {loss.path}, {loss.reason}. It takes "
            f"{self._wanted(loss.path)}, or the JSON of one.",
            field="payload",
        )

    def _wanted(self, path: str) -> str:
        name = re.split(r"[.\[]", path, maxsplit=1)[0]
        return written(self.types.get(name, self.rest))


def _converted(given: Any, shape: Any) -> dict[str, Any]:
    real: dict[str, Any] = msgspec.convert(given, shape, str_keys=True, dec_hook=_made)
    return real


def _taken_exactly(given: dict[str, Any], shape: Any) -> dict[str, Any] | None:
    """What they are taken for as exactly what msgspec knows; None if that is not what is wrong."""
    try:
        kept = _converted(exact.exactly(given), shape)
    except msgspec.ValidationError:
        return None
    return kept if exact.has_members_of(given, kept) else None


def _made(kind: Any, given: Any) -> Any:
    """What msgspec doesn't know: a model of pydantic's."""
    if type(given) is kind:
        return given
    if is_model(type(given)):
        raise ValueError(f"expected `{kind.__name__}`, got `{type(given).__name__}`")
    text = msgspec.json.encode(given, enc_hook=_dumped)
    try:  # from JSON it takes what it may refuse as an object
        return kind.model_validate_json(text)
    except ValueError as error:
        raise ValueError(_first(error)) from None


def _dumped(given: Any) -> Any:
    match given:
        case str():
            return exact.text(given)
        case date() | datetime():
            return exact.moment(given)
        case _ if is_model(type(given)):
            return given.model_dump(mode="json", by_alias=True, round_trip=True)
    raise TypeError


def _first(error: Any) -> str:
    """The first that pydantic found, told as msgspec does."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in found["loc"])
    return f"{found['msg']} - at `${''.join(steps)}`"


def _loss(error: msgspec.ValidationError, given: Any, shape: Any) -> Loss:
    def fault(value: Any) -> str:
        try:
            _converted(value, shape)
        except msgspec.ValidationError as error:
            return _path(error)
        return ""

    text = str(error)
    reason = PLACES.sub("", text)
    end = ", as a key" if " at `key" in text else ""
    path = spelled(_path(error), given, fault=fault)
    return Loss(path, reason[:1].lower() + reason[1:] + end)


def _path(error: msgspec.ValidationError) -> str:
    """The innermost place is told first."""
    return "".join(reversed(PLACES.findall(str(error)))).removeprefix(".")
