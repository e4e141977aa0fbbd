"""What of an argument would get lost on its way to JSON and back, and where."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from typing import Any, NamedTuple

from forge_jobs.handlers.paths import within
from forge_jobs.wording import listed, quoted


def is_model(kind: type) -> bool:
    """Whether it is a model of pydantic's, which need not be installed."""
    return hasattr(kind, "model_validate_json") and hasattr(kind, "model_dump")


class Loss(NamedTuple):
    """`path` begins with the name of an argument: `lines[0].price`."""

    path: str
    reason: str


def all_of(given: Any, kept: Any, plain: Any, back: Any, path: str) -> Iterator[Loss]:
    """Of what was `given`, what it was taken for, its JSON, and what comes back of that."""
    yield from unplaced(given, kept, path)
    yield from unplaced(plain, back, path)
    yield from changed(kept, back, path)


def unplaced(given: Any, kept: Any, path: str) -> Iterator[Loss]:
    """What was given under a name that its annotation has no place for."""
    match given, kept:
        case dict(), dict():
            known: dict[Any, Any] = kept
            lacks = len(kept) < len(given)
            hint = ""
        case dict(), _ if fields := attributes_of(type(kept)):
            known = {name: getattr(kept, attribute) for name, attribute in fields.items()}
            known |= {name: given.get(name) for name in _tag(type(kept))}
            lacks = True
            hint = f"; there are {listed(fields)}"
        case list() | tuple(), list() | tuple():
            for place, (was, came) in enumerate(zip(given, kept, strict=False)):
                yield from unplaced(was, came, f"{path}[{place}]")
            return
        case _:
            return
    for name, value in given.items():
        if name in known:
            yield from unplaced(value, known[name], within(path, name))
        elif lacks:
            yield Loss(path, f"{quoted(name)} is unexpected{hint}")


def changed(kept: Any, back: Any, path: str) -> Iterator[Loss]:
    """What comes back as something else, for its annotation doesn't say what it is."""
    is_list = isinstance(kept, tuple) and isinstance(back, list)
    if not (is_list or isinstance(kept, type(back))):
        yield Loss(path, f"{quoted(kept)} would come back as {quoted(back)}: annotate what it is")
    elif isinstance(kept, dict) and len(kept) != len(back):
        yield Loss(path, "some of its keys are the same in JSON")
    elif isinstance(kept, dict):
        for (name, was), (key, came) in zip(kept.items(), back.items(), strict=True):
            yield from changed(name, key, path)
            yield from changed(was, came, within(path, name))
    elif isinstance(kept, list | tuple):
        for place, (was, came) in enumerate(zip(kept, back, strict=True)):
            yield from changed(was, came, f"{path}[{place}]")
    elif isinstance(kept, datetime | time) and _is_another(kept, back):
        why = "its offset from UTC has seconds, which JSON has no form for; pass it in UTC"
        yield Loss(path, f"{quoted(kept)} would come back as {quoted(back)}: {why}")
    elif is_model(type(kept)):
        yield from _changed_in_model(kept.model_dump(), back.model_dump(), path)
    else:
        for name, attribute in attributes_of(type(kept)).items():
            was, came = getattr(kept, attribute), getattr(back, attribute)
            yield from changed(was, came, within(path, name))


def _changed_in_model(kept: Any, back: Any, path: str) -> Iterator[Loss]:
    """What a model of pydantic's writes into JSON otherwise than it reads it: a secret, say.

    A class that does not say what is equal can't be asked.
    """
    if isinstance(kept, dict) and isinstance(back, dict) and kept.keys() == back.keys():
        for name, was in kept.items():
            yield from _changed_in_model(was, back[name], within(path, name))
    elif isinstance(kept, list | tuple) and type(kept) is type(back) and len(kept) == len(back):
        for place, (was, came) in enumerate(zip(kept, back, strict=True)):
            yield from _changed_in_model(was, came, f"{path}[{place}]")
    elif _is_another(kept, back) and _says_what_is_equal(type(kept)):
        why = "by its model's own configuration"
        yield Loss(path, f"{quoted(kept)} would come back as {quoted(back)}, {why}")


def _is_another(kept: Any, back: Any) -> bool:
    """Not equal, NaN apart; False for what can't be asked.

    Moments are told apart by their distance: one that a clock shows twice is equal to none of
    another zone.
    """
    try:
        if isinstance(kept, datetime) and isinstance(back, datetime) and _are_alike(kept, back):
            return bool(kept - back)
        return bool(kept != back and (kept == kept or back == back))
    except Exception:  # whatever somebody else's comparison does
        return False


def _are_alike(*moments: datetime) -> bool:
    return len({moment.utcoffset() is None for moment in moments}) == 1


def _says_what_is_equal(kind: type) -> bool:
    return any("__eq__" in vars(one) for one in kind.__mro__[:-1])


def attributes_of(kind: Any) -> Mapping[str, str]:
    """The attributes of a dataclass or a msgspec struct, by the names that JSON has for them."""
    if dataclasses.is_dataclass(kind):
        return {one.name: one.name for one in dataclasses.fields(kind)}
    if hasattr(kind, "__struct_encode_fields__"):
        return dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    return {}


def _tag(kind: Any) -> list[str]:
    """Under which name JSON says which struct of several it is, if it does."""
    configuration = getattr(kind, "__struct_config__", None)
    return [configuration.tag_field] if configuration and configuration.tag_field else []
