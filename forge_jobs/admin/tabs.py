"""The tabs that all pages of Mission Control share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, kw_only=True)
class Tab:
    """`name` tells the current one; `view` is the name of its URL in the admin."""

    name: str
    title: str | Promise
    view: str
    permission: str
    query: str = ""


@dataclass(frozen=True)
class ShownTab:
    title: str | Promise
    url: str
    is_current: bool


TABS: Final[Sequence[Tab]] = (
    Tab(
        name="overview",
        title=_("Overview"),
        view="forge_jobs_missioncontrol_changelist",
        permission="view_job",
    ),
    Tab(
        name="queues",
        title=_("Queues"),
        view="forge_jobs_queue_changelist",
        permission="view_queue",
    ),
    Tab(
        name="processes",
        title=_("Processes"),
        view="forge_jobs_process_changelist",
        permission="view_process",
    ),
    Tab(name="jobs", title=_("Jobs"), view="forge_jobs_job_changelist", permission="view_job"),
    Tab(
        name="scheduled",
        title=_("Scheduled"),
        view="forge_jobs_job_changelist",
        permission="view_job",
        query="?state=scheduled",
    ),
    Tab(
        name="retrying",
        title=_("Retrying"),
        view="forge_jobs_job_changelist",
        permission="view_job",
        query="?state=retrying",
    ),
    Tab(
        name="dead",
        title=_("Dead"),
        view="forge_jobs_job_changelist",
        permission="view_job",
        query="?state=dead",
    ),
    Tab(
        name="cron",
        title=_("Cron"),
        view="forge_jobs_schedule_changelist",
        permission="view_schedule",
    ),
    Tab(
        name="budgets",
        title=_("Budgets"),
        view="forge_jobs_ratelimitbudget_changelist",
        permission="view_ratelimitbudget",
    ),
    Tab(name="health", title=_("Health"), view="forge_jobs_health", permission="view_job"),
)


def shown(request: HttpRequest, *, current: str, site: str) -> list[ShownTab]:
    """The tabs that a person may open."""
    return [
        ShownTab(
            title=tab.title,
            url=reverse(f"admin:{tab.view}", current_app=site) + tab.query,
            is_current=tab.name == current,
        )
        for tab in TABS
        if request.user.has_perm(f"forge_jobs.{tab.permission}")
    ]
