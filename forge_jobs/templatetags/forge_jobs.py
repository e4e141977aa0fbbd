"""How Mission Control writes numbers, durations, moments and states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from forge_jobs import clock
from forge_jobs.durations import spelled
from forge_jobs.states import BatchState, State

register = template.Library()


@register.filter
def duration(value: timedelta | float | None) -> str:
    """A duration, or seconds: `1 h 5 min`, `1.3 s`, `12 ms`; a dash for none."""
    if value is None:
        return "–"
    return spelled(value.total_seconds() if isinstance(value, timedelta) else value)


@register.filter
def count(value: int | None) -> str:
    """A whole number with its thousands apart; a dash for none."""
    return f"{value:,}" if value else "–"


@register.filter
def whole(value: int) -> str:
    """The same where nothing is a number, too: `0`."""
    return f"{value:,}"


@register.filter
def size(value: float | None) -> str:
    """Bytes: `58 MiB`."""
    if value is None:
        return "–"
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A moment; the page's script tells it in the viewer's own zone."""
    if value is None:
        return "–"
    shown = date_format(localtime(value), "Y-m-d H:i:s")
    return format_html('<time datetime="{}">{}</time>', _iso(value), shown)


@register.filter
def since(value: datetime | None) -> SafeString | str:
    """How long ago, or in how long; the exact moment on hover. The page's script lets it go on."""
    if value is None:
        return "–"
    passed = (clock.now() - value).total_seconds()
    ago, ahead = _("%(duration)s ago"), _("in %(duration)s")
    told = (ago if passed >= 0 else ahead) % {"duration": duration(abs(passed))}
    return _ticking(value, told, since=f"{passed:.3f}", saying=ago, ahead=ahead)


@register.filter
def elapsed(value: datetime | None) -> SafeString | str:
    """For how long something has been so; nothing where it has not begun."""
    passed = (clock.now() - value).total_seconds() if value else 0
    if value is None or passed < 0:
        return duration(0)
    told = duration(passed)
    return _ticking(value, told, since=f"{passed:.3f}", saying="%(duration)s", ahead="0 s")


@register.filter
def until(value: datetime | None) -> SafeString | str:
    """In how long something ends or begins; the page's script counts down to it."""
    if value is None:
        return "–"
    left = max(timedelta(0), value - clock.now()).total_seconds()
    ahead = _("in %(duration)s")
    told = ahead % {"duration": duration(left)}
    return _ticking(value, told, until=f"{left:.3f}", saying=ahead, ahead=ahead)


@register.filter
def state(value: str) -> SafeString:
    """A state with its colour; the word says it, too."""
    known = State if value in State.values else BatchState
    label = known(value).label if value in known.values else value
    return format_html('<span class="mc-state" data-state="{}">{}</span>', value, label)


def _ticking(value: datetime, told: str, **data: str) -> SafeString:
    marks = format_html_join("", ' data-{}="{}"', data.items())
    shown = date_format(localtime(value), "Y-m-d H:i:s T")
    return format_html(
        '<time datetime="{}" title="{}" data-relative{}>{}</time>', _iso(value), shown, marks, told
    )


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
