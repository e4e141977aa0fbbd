"""Names what stands on a page by its content, so that a poll can leave out what the page has.

A page's live parts, and the rows that have a key within them, carry a `data-version`. In the
answer to a poll a part whose version the page has is missing, and such a row is a stub.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Final

from django.http import HttpResponse

BLOCK: Final = 30
"""So many points of a chart's line have a version together."""

LIVE: Final = re.compile(r'<(\w+)[^<>]*\sdata-live="([^"]*)"[^<>]*(?=>)')
KEYED: Final = re.compile(r'<(\w+)[^<>]*\s(data-key="[^"]*")[^<>]*(?=>)')
# The page's script lets these go on by itself; the other is another one each time.
TICKING: Final = re.compile(r'(<time datetime="[^"]*")[^<>]* data-relative[^<>]*>[^<]*</time>')
TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


@dataclass(frozen=True)
class Piece:
    """An element within some HTML, from `start` to `end`; its first tag ends at `inside`."""

    start: int
    inside: int
    end: int
    tag: str
    name: str


def add_to(response: HttpResponse) -> None:
    response.content = versioned(response.content.decode())


def versioned(html: str) -> str:
    """A whole page, with the versions of what is live."""
    return _rewritten(html, LIVE, lambda part: _part(html, part, known=()) or "")


def changed(html: str, *, known: Collection[str]) -> str:
    """Of live parts what is not known, with stubs for the rows that are."""
    parts = (_part(html, part, known=known) for part in _pieces(html, LIVE))
    return "".join(part for part in parts if part)


def chart_news(charts: Mapping[str, Any], *, known: Collection[str]) -> dict[str, Any]:
    """The charts with their lines in named blocks, and the numbers of those that are not known.

    Empty if the charts as a whole are. Blocks begin at round moments, so that a full one stays.
    """
    blocks: dict[str, list[Any]] = {}
    told = {name: _in_blocks(chart, blocks) for name, chart in charts.items()}
    version = _version(json.dumps(told, default=str))
    if not told or version in known:
        return {}
    fresh = {name: values for name, values in blocks.items() if name not in known}
    return {"charts": told, "blocks": fresh, "charts_version": version}


def _in_blocks(chart: Mapping[str, Any], blocks: dict[str, list[Any]]) -> dict[str, Any]:
    moments: Sequence[int] = chart["moments"]
    step = moments[1] - moments[0] if len(moments) > 1 else 1
    cuts = [place for place, moment in enumerate(moments) if moment // step % BLOCK == 0]
    edges = sorted({0, *cuts, len(moments)})
    lines = []
    for line in chart["series"]:
        names = []
        for start, end in pairwise(edges):
            values = list(line["values"][start:end])
            names.append(_version(json.dumps(values)))
            blocks[names[-1]] = values
        rest = {name: value for name, value in line.items() if name != "values"}
        lines.append({**rest, "blocks": names})
    first = moments[0] if moments else 0
    grid = {"first": first, "step": step, "points": len(moments)}
    return {**chart, "moments": grid, "series": lines}


def _part(html: str, part: Piece, *, known: Collection[str]) -> str:
    """A live part with versions; empty if it is known as a whole."""
    rows = list(_pieces(html, KEYED, part.inside, part.end))
    versions = [_version(f"{part.name} {html[row.start : row.end]}") for row in rows]
    skeleton = _without(html, part, rows)
    version = _version(" ".join([skeleton, *versions]))
    if version in known:
        return ""
    told = [f'{html[part.start : part.inside]} data-version="{version}"']
    place = part.inside
    for row, name in zip(rows, versions, strict=True):
        told.append(html[place : row.start])
        if name in known:
            told.append(f"<{row.tag} {row.name} data-same></{row.tag}>")
        else:
            told.append(html[row.start : row.inside])
            told.append(f' data-version="{name}"{html[row.inside : row.end]}')
        place = row.end
    told.append(html[place : part.end])
    return "".join(told)


def _without(html: str, part: Piece, rows: Sequence[Piece]) -> str:
    places = [part.start, *(place for row in rows for place in (row.start, row.end)), part.end]
    return "".join(html[start:end] for start, end in zip(places[::2], places[1::2], strict=True))


def _rewritten(html: str, sought: re.Pattern[str], told: Any) -> str:
    done, place = [], 0
    for piece in _pieces(html, sought):
        done += [html[place : piece.start], told(piece)]
        place = piece.end
    return "".join([*done, html[place:]])


def _pieces(
    html: str, sought: re.Pattern[str], start: int = 0, end: int | None = None
) -> Iterator[Piece]:
    """The elements that are sought, none within another."""
    place, limit = start, len(html) if end is None else end
    while found := sought.search(html, place, limit):
        place = _end_of(html, found[1], found.start(), limit)
        yield Piece(found.start(), found.end(), place, found[1], found[2])


def _end_of(html: str, tag: str, start: int, limit: int) -> int:
    """Where an element ends: what others bring in has no tags, as templates escape it."""
    depth = 0
    for found in re.compile(rf"<(/?){tag}\b[^<>]*>").finditer(html, start, limit):
        depth += -1 if found[1] else 1
        if not depth:
            return found.end()
    return limit


def _version(text: str) -> str:
    lasting = TOKEN.sub("", TICKING.sub(r"\1", text))
    return urlsafe_b64encode(blake2b(lasting.encode(), digest_size=6).digest()).decode()
