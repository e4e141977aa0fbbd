"""What a held job waits for, or why it waits no more, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """What a job comes after and has not ended, or some of it; batches with their names.

    `reason` is why it can't run any more; it `may_go_on` if what failed is requeued.
    """

    jobs: Sequence[int] = ()
    batches: Sequence[tuple[int, str]] = ()
    has_more: bool = False
    reason: str = ""
    may_go_on: bool = False

    @property
    def named(self) -> dict[str, Any]:
        """What stands at the end of the sentence on a job that is held."""
        if self.reason:
            return {}
        return {"jobs": self.jobs, "batches": self.batches, "has_more": self.has_more}

    def of_held(self, *, is_anybody_live: bool) -> str:
        if self.reason:
            return _("It is cancelled at any moment. %(reason)s") % {"reason": self.reason}
        if number := len(self.jobs) + len(self.batches):
            return ngettext(
                "It is held until this has ended:", "It is held until these have ended:", number
            )
        if not is_anybody_live:
            return _("What it comes after has ended, but no process lives that would let it go.")
        return _("What it comes after has ended, and it is let go at any moment.")

    def of_given_up(self) -> str:
        if not self.may_go_on:
            return self.reason
        text = _("%(reason)s It goes on once what failed is requeued, and succeeds.")
        return text % {"reason": self.reason}
