"""How Mission Control writes numbers, durations, moments and states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from forge_jobs import clock
from forge_jobs.durations import spelled
from forge_jobs.states import State

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
    """How long ago, or in how long; the exact moment on hover."""
    if value is None:
        return "–"
    passed = clock.now() - value
    told = _("%(duration)s ago") if passed >= timedelta(0) else _("in %(duration)s")
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        _iso(value),
        date_format(localtime(value), "Y-m-d H:i:s T"),
        told % {"duration": duration(abs(passed))},
    )


@register.filter
def until(value: datetime | None) -> SafeString | str:
    """In how long something ends or begins; the page's script counts down to it."""
    if value is None:
        return "–"
    left = max(timedelta(0), value - clock.now())
    return format_html(
        '<time datetime="{}" title="{}" data-relative data-until="{}" data-saying="{}">{}</time>',
        _iso(value),
        date_format(localtime(value), "Y-m-d H:i:s T"),
        f"{left.total_seconds():.3f}",
        _("in %(duration)s"),
        _("in %(duration)s") % {"duration": duration(left)},
    )


@register.filter
def state(value: str) -> SafeString:
    """A state with its colour; the word says it, too."""
    label = State(value).label if value in State.values else value
    return format_html('<span class="mc-state" data-state="{}">{}</span>', value, label)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
