"""Tells what a job or a batch comes after, and what comes after it."""

from __future__ import annotations

from typing import Final

from forge_jobs.dashboard.kin import Kin, Link
from forge_jobs.management.rendering import facts
from forge_jobs.states import Needs

HOW: Final = {Needs.END: ", however it ends", Needs.FAILURE: ", if it fails"}


def as_lines(title: str, kin: Kin) -> list[str]:
    """None where there is none."""
    told = dict(map(_told, kin.links))
    more = ["  and more"] if kin.has_more else []
    return [title, *facts(told), *more] if told else []


def _told(link: Link) -> tuple[str, str]:
    if link.job:
        return str(link.job), f"{link.job.state}{_how(link)}"
    if link.batch:
        return f"batch {link.batch}", f"{link.batch.state}{_how(link)}"
    return "others", "deleted meanwhile"


def _how(link: Link) -> str:
    return HOW.get(Needs(link.needs), "")
