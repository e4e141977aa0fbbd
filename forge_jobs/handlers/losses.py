"""What of an argument would get lost on its way to JSON and back, and where."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from forge_jobs.handlers.paths import within
from forge_jobs.wording import listed, quoted


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
            known: Mapping[Any, Any] = kept
            lacks = len(kept) < len(given)
            hint = ""
        case dict(), _ if fields := _fields(type(kept)):
            known = {name: getattr(kept, attribute) for name, attribute in fields.items()}
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
    else:
        for name, attribute in _fields(type(kept)).items():
            was, came = getattr(kept, attribute), getattr(back, attribute)
            yield from changed(was, came, within(path, name))


def _fields(kind: Any) -> Mapping[str, str]:
    """The attributes of a dataclass or a msgspec struct, by the names that JSON has for them."""
    if dataclasses.is_dataclass(kind):
        return {one.name: one.name for one in dataclasses.fields(kind)}
    if hasattr(kind, "__struct_encode_fields__"):
        return dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    return {}
