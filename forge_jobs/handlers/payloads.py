"""Arguments by their annotations: checked and made JSON at enqueue, made real again for a run.

msgspec converts; what is found out beside it is what would get lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypedDict

import msgspec

from forge_jobs.exceptions import InvalidPayload, UnreadablePayload
from forge_jobs.handlers import losses
from forge_jobs.handlers.annotations import found, is_model, says_any, written
from forge_jobs.handlers.losses import Loss
from forge_jobs.handlers.signature import Signature
from forge_jobs.wording import quoted

PLACES: Final = re.compile(r" - at (`key` in )?`\$([^`]*)`")


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
    is_loose: bool

    @classmethod
    def of(cls, function: Callable[..., Any], *, kind: str, takes: Signature) -> Self:
        """Raises `InvalidHandler` for an annotation that can't be used."""
        names = takes.named | {takes.rest} - {""}
        types = found(function, names=names, kind=kind)
        is_loose = any(map(says_any, types.values()))
        rest = types.pop(takes.rest, None)
        return cls(kind, takes.named, types, rest, _shape(types), is_loose)

    def stored(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """As JSON has them, any of them; raises `InvalidPayload`."""
        shape, given = self._typed(payload)
        try:
            kept = _converted(given, shape)
            plain = self._plain(kept)
            back = _converted(plain, shape)  # looks into what were real objects before, too
        except msgspec.ValidationError as error:
            raise self._misfit(_loss(error)) from None
        for loss in self._losses(given, kept, plain, back):
            raise self._misfit(loss)
        return {**payload, **plain}

    def read(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """As their annotations want them; raises `UnreadablePayload`."""
        shape, given = self._typed(payload)
        try:
            return {**payload, **_converted(given, shape)}
        except msgspec.ValidationError as error:
            path, reason = _loss(error)
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
        return _shape(types), {name: payload[name] for name in payload if name in types}

    def _plain(self, kept: dict[str, Any]) -> dict[str, Any]:
        try:
            plain: dict[str, Any] = _as_json(kept)
        except RecursionError:
            raise self._misfit(Loss("payload", "it is too deep, or holds itself")) from None
        except TypeError:
            raise self._misfit(_formless(kept)) from None
        return plain

    def _losses(self, given: Any, kept: Any, plain: Any, back: Any) -> Iterator[Loss]:
        for name in given:
            yield from losses.unplaced(given[name], kept[name], name)
            yield from losses.unplaced(plain[name], back[name], name)
            if self.is_loose:
                yield from losses.changed(kept[name], back[name], name)

    def _misfit(self, loss: Loss) -> InvalidPayload:
        return InvalidPayload(
            f"payload does not fit {self.kind}: at {loss.path}, {loss.reason}. It takes "
            f"{self._wanted(loss.path)}, or the JSON of one.",
            field="payload",
        )

    def _wanted(self, path: str) -> str:
        name = re.split(r"[.\[]", path, maxsplit=1)[0]
        return written(self.types.get(name, self.rest))


def _shape(types: Mapping[str, Any]) -> Any:
    return TypedDict("Arguments", dict(types), total=False)  # type: ignore[operator]


def _converted(given: Any, shape: Any) -> Any:
    return msgspec.convert(given, shape, str_keys=True, dec_hook=_made)


def _as_json(kept: Any) -> Any:
    return msgspec.to_builtins(kept, str_keys=True, enc_hook=_dumped)


def _made(kind: Any, given: Any) -> Any:
    """What msgspec doesn't know: a model of pydantic's."""
    if type(given) is kind:
        return given
    if is_model(type(given)):
        raise ValueError(f"expected `{kind.__name__}`, got `{type(given).__name__}`")
    try:  # from JSON pydantic takes what it would refuse as an object
        return kind.model_validate_json(msgspec.json.encode(given, enc_hook=_dumped))
    except ValueError as error:
        raise ValueError(_first(error)) from None


def _dumped(given: Any) -> Any:
    if not is_model(type(given)):
        raise TypeError
    return given.model_dump(mode="json", by_alias=True)


def _first(error: Any) -> str:
    """The first that pydantic found, told as msgspec does."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in found["loc"])
    return f"{found['msg']} - at `${''.join(steps)}`"


def _loss(error: msgspec.ValidationError) -> Loss:
    text = str(error)
    reason = PLACES.sub("", text)
    places = PLACES.findall(text)[::-1]
    is_key = any(key for key, _ in places)
    path = "".join(path for _, path in places).removeprefix(".")
    return Loss(path, reason[:1].lower() + reason[1:] + (", as a key" if is_key else ""))


def _formless(kept: dict[str, Any]) -> Loss:
    """The first argument that holds what JSON has no form for."""
    for name, value in kept.items():
        try:
            _as_json(value)
        except TypeError:
            return Loss(name, f"{quoted(value)} is or holds what JSON has no form for")
    return Loss("payload", "it holds what JSON has no form for")
