"""What Mission Control's own pages show: reads it, as their templates want it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from forge_jobs import clock, db
from forge_jobs.dashboard import charts
from forge_jobs.dashboard.charts import Choice
from forge_jobs.dashboard.gauges import GaugeSeries
from forge_jobs.dashboard.health import Health
from forge_jobs.dashboard.outcomes import outcomes
from forge_jobs.dashboard.overview import Overview
from forge_jobs.dashboard.series import JobSeries
from forge_jobs.dashboard.verdict import Verdict
from forge_jobs.dashboard.window import Window
from forge_jobs.handlers.registry import registry
from forge_jobs.operations.ailments import Care
from forge_jobs.states import State


def overview(request: HttpRequest) -> dict[str, Any]:
    now, choice = clock.now(), Choice.read(request.GET)
    window = Window.last(choice.window, now=now)
    with db.snapshot():
        series = JobSeries.read(window, queue=choice.queue, kind=choice.kind)
        care = Care.read(now=now)
        overview, verdict = Overview.read(care), Verdict.of(care)
    return {
        "title": _("Overview"),
        "verdict": verdict,
        "overview": overview,
        "backlog": overview.backlog(choice.queue),
        "due_since": overview.due_since(choice.queue),
        "outcomes": outcomes(series, choice),
        "kept_dead": overview.kept(State.DEAD, choice.queue),
        "choice": choice,
        "kinds": sorted({*registry.kinds(), *filter(None, [choice.kind])}),
        "series": series,
        "charts": charts.of_jobs(series, now=now),
    }


def health(request: HttpRequest) -> dict[str, Any]:
    now, choice = clock.now(), Choice.read(request.GET)
    window = Window.last(choice.window, now=now)
    with db.snapshot():
        health, gauges = Health.read(now=now), GaugeSeries.read(window)
        verdict = Verdict.of(Care.of((one.row for one in health.processes), now=now))
    return {
        "title": _("Health"),
        "verdict": verdict,
        "health": health,
        "choice": choice,
        "charts": charts.of_health(gauges),
    }
