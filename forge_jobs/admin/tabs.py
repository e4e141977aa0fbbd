"""The tabs that all pages of Mission Control share."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Tab(NamedTuple):
    """`name` tells the current one; `view` is the name of its URL in the admin."""

    name: str
    title: str | Promise
    view: str
    permission: str


class ShownTab(NamedTuple):
    title: str | Promise
    url: str
    is_current: bool


def _table(name: str, title: str | Promise, model: str) -> Tab:
    """The list of a table's rows."""
    view = f"forge_jobs_{model}_changelist"
    return Tab(name=name, title=title, view=view, permission=f"view_{model}")


HAS_API: Final = find_spec("ninja") is not None
"""Whether the extra for the HTTP API is there, without which nobody needs tokens."""

TABS: Final[Sequence[Tab]] = (
    Tab(
        name="overview",
        title=_("Overview"),
        view="forge_jobs_missioncontrol_changelist",
        permission="view_job",
    ),
    _table("queues", _("Queues"), "queue"),
    _table("processes", _("Processes"), "process"),
    _table("jobs", _("Jobs"), "job"),
    _table("batches", _("Batches"), "batch"),
    _table("schedules", _("Schedules"), "schedule"),
    _table("budgets", _("Budgets"), "ratelimitbudget"),
    *([_table("tokens", _("Tokens"), "apitoken")] if HAS_API else []),
    Tab(name="health", title=_("Health"), view="forge_jobs_health", permission="view_job"),
)


def titled(name: str) -> str | Promise:
    """What a tab is called, and so the page that it opens."""
    return next(tab.title for tab in TABS if tab.name == name)


def shown(request: HttpRequest, *, current: str, site: str) -> list[ShownTab]:
    """The tabs that a person may open."""
    return [
        ShownTab(
            title=tab.title,
            url=reverse(f"admin:{tab.view}", current_app=site),
            is_current=tab.name == current,
        )
        for tab in TABS
        if request.user.has_perm(f"forge_jobs.{tab.permission}")
    ]
