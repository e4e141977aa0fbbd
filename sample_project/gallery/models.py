"""What the gallery keeps: catalogues, and pictures with the latest job of each of their steps."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Coalesce

from forge_jobs.models import Job, State

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff")
ENDED = (State.SUCCEEDED, State.DEAD, State.CANCELLED)
LATEST_STATE = Coalesce("publish_job__state", "thumbnail_job__state", "draw_job__state")


class PictureQuerySet(models.QuerySet["Picture"]):
    def with_jobs(self) -> Self:
        """Fetch the pictures together with what is shown of their jobs, in one statement."""
        columns = ("state", "attempt", "max_attempts", "last_error")
        return self.select_related(*Picture.JOBS).only(
            *(field.name for field in Picture._meta.concrete_fields),
            *(f"{job}__{column}" for job in Picture.JOBS for column in columns),
        )

    def in_state(self, state: str) -> Self:
        """Pictures whose latest job is in the state."""
        return self.alias(latest=LATEST_STATE).filter(latest=state)

    def publishable(self) -> Self:
        """Pictures that have a thumbnail, are not published and not about to be."""
        idle = Q(publish_job__state__isnull=True) | Q(publish_job__state__in=ENDED)
        return self.filter(idle, published_at=None).exclude(thumbnail="")

    def settled(self) -> Self:
        """Pictures of which no job is under way."""
        rows = self
        for job in Picture.JOBS:
            ended = Q(**{f"{job}__state__isnull": True}) | Q(**{f"{job}__state__in": ENDED})
            rows = rows.filter(ended)
        return rows

    def count_by_state(self) -> dict[str, int]:
        rows = self.order_by().values_list(LATEST_STATE).annotate(Count("pk"))
        return {state: count for state, count in rows if state}

    def attach(self, pictures: Sequence["Picture"], *, job: str, ids: Sequence[int]) -> None:
        """Let each of the `pictures` point at its job, given in the same order."""
        for picture, job_id in zip(pictures, ids, strict=True):
            setattr(picture, f"{job}_id", job_id)
        self.bulk_update(pictures, [job], batch_size=200)

    def receive(self, *, image: str) -> bool:
        """Store the drawn image; says whether this call was the one that did."""
        return self.filter(image="").update(image=image) == 1

    def publish(self, *, now: datetime) -> bool:
        """Mark the picture as published; says whether this call was the one that did."""
        return self.filter(published_at=None).update(published_at=now) == 1


def place(picture: "Picture", filename: str) -> str:
    """Where an upload is kept: never under a name that makes a browser run it."""
    suffix = PurePath(filename).suffix.lower()
    return f"pictures/{uuid4().hex}{suffix if suffix in SUFFIXES else '.bin'}"


class Picture(models.Model):
    JOBS = ("draw_job", "thumbnail_job", "publish_job")

    title = models.CharField(max_length=200)
    image = models.FileField(upload_to=place, blank=True)
    thumbnail = models.FileField(upload_to="thumbnails", blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    colours = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    # Finished jobs are pruned one day, without asking who points at them: hence no constraint.
    draw_job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.SET_NULL, db_constraint=False, related_name="+"
    )
    thumbnail_job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.SET_NULL, db_constraint=False, related_name="+"
    )
    publish_job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.SET_NULL, db_constraint=False, related_name="+"
    )

    objects = PictureQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.title

    @property
    def is_publishable(self) -> bool:
        """The same as `publishable()`, for a picture that was fetched with its jobs."""
        idle = self.publish_job is None or self.publish_job.state in ENDED
        return idle and bool(self.thumbnail) and self.published_at is None


class Catalogue(models.Model):
    sheet = models.CharField(max_length=200)
    address = models.CharField(max_length=200)
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Catalogue {self.pk}"
