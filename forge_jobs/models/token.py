"""Tokens for the HTTP API: whose they are, what they may, and a digest of their text."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar, Final

from django.db import DatabaseError, models, transaction
from django.db.models import Case, Q, QuerySet, When
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from forge_jobs.models.base import JobsManager, JobsModel

SHAPE: Final = re.compile(r"fjt_([0-9a-f]{16})_[\w-]{43}", re.ASCII)
"""A name of its own, for those who search repositories for secrets."""

NOBODYS: Final = "0" * 64
SELDOM: Final = timedelta(minutes=10)
"""It is written down no more often that a token was used."""


class ApiTokenManager(JobsManager["ApiToken"]):
    def issue(
        self,
        *,
        name: str,
        owner_key: str,
        owner_name: str,
        permissions: Collection[str],
        kinds: Collection[str],
        expires_at: datetime | None,
    ) -> tuple[ApiToken, str]:
        """A new token, and the text that nobody is told again."""
        key = secrets.token_hex(8)
        text = f"fjt_{key}_{secrets.token_urlsafe(32)}"
        token = self.create(
            name=name,
            key=key,
            digest=_digest(text),
            owner_key=owner_key,
            owner_name=owner_name,
            permissions=sorted(permissions),
            kinds=sorted(kinds),
            expires_at=expires_at,
        )
        return token, text

    def good_first(self, *, now: datetime) -> QuerySet[ApiToken]:
        """All of them, the newest first, but those after the others that are good no more."""
        gone = Q(revoked_at__isnull=False) | Q(expires_at__lte=now)
        return self.order_by(Case(When(gone, then=1), default=0), "-pk")

    def note_use(self, token: ApiToken, *, now: datetime) -> None:
        """Write down that a token was used, unless that was done lately."""
        if token.last_used_at and now - SELDOM < token.last_used_at <= now:
            return
        # Where nobody can write, reading goes on.
        with suppress(DatabaseError), transaction.atomic(using=self.db):
            self.filter(pk=token.pk).update(last_used_at=now)

    def revoke(self, token: ApiToken, *, by: str, now: datetime) -> bool:
        """Let a token be good no more; False if that was done before."""
        return bool(
            self.filter(pk=token.pk, revoked_at=None).update(revoked_at=now, revoked_by=by[:200])
        )


class ApiToken(JobsModel):
    """It may what its `permissions` name, as long as its owner may that, too.

    Kinds are enqueued that are named in `kinds` or, with `add_job`, declared `api`.
    """

    name = models.CharField(_("name"), max_length=100, help_text=_("What it is for."))
    key = models.CharField(_("key"), max_length=16, unique=True, editable=False)
    digest = models.CharField(_("digest"), max_length=64, editable=False)
    # Users may live in another database, where no row of this one can refer to them.
    owner_key = models.CharField(_("owner"), max_length=200, editable=False)
    owner_name = models.CharField(_("name of the owner"), max_length=200, editable=False)
    permissions = models.JSONField(_("permissions"), default=list)
    kinds = models.JSONField(_("kinds"), default=list)
    created_at = models.DateTimeField(
        _("created at"), db_default=models.functions.Now(), editable=False
    )
    expires_at = models.DateTimeField(_("expires at"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)
    revoked_by = models.CharField(_("revoked by"), max_length=200, db_default="", editable=False)

    objects: ClassVar[ApiTokenManager] = ApiTokenManager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        default_permissions = ("add", "view", "revoke")

    def __str__(self) -> str:
        return self.name

    def is_good(self, *, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def key_of(text: str) -> str | None:
    """By which the token of a text is found; None if the text is no token's."""
    found = SHAPE.fullmatch(text)
    return found[1] if found else None


def proven(token: ApiToken | None, text: str, *, now: datetime) -> ApiToken | None:
    """A token that was found, if it has this text, and is neither revoked nor expired."""
    is_its_own = constant_time_compare(token.digest if token else NOBODYS, _digest(text))
    return token if token and is_its_own and token.is_good(now=now) else None


def _digest(text: str) -> str:
    """Nobody can guess 256 bits: a slow hash would only make requests slow."""
    return sha256(text.encode(errors="replace")).hexdigest()
