"""What people can do here: each stores its pictures and its jobs together, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

from django.core.files import File
from django.db import transaction

from forge_jobs import NewJob, batch, enqueue_many
from forge_jobs.models import Job
from sample_project.gallery.album import Plate
from sample_project.gallery.jobs import (
    draw_picture,
    export_pictures,
    make_thumbnail,
    publish_picture,
    sum_up_album,
)
from sample_project.gallery.models import Picture

EXPORT_KEY: Final = "gallery.export_pictures"
EXPORT_SECONDS: Final = 20.0
"""How long an export takes: long enough to look on, and to cancel it."""


def upload(files: Iterable[File[bytes]]) -> list[Picture]:
    """Keep the files, whatever is in them: decoding them is for the jobs."""
    pictures = [_stored(file) for file in files]
    try:
        with transaction.atomic():
            Picture.objects.bulk_create(pictures)
            jobs = make_thumbnail.enqueue_many([{"picture_id": row.pk} for row in pictures])
            Picture.objects.attach(pictures, job="thumbnail_job", ids=jobs.ids)
    except BaseException:
        for picture in pictures:
            picture.image.delete(save=False)
        raise
    return pictures


def import_album(plates: Sequence[Plate]) -> list[Picture]:
    """Make room for the plates and ask for them to be drawn, the one shown first at first."""
    pictures = [Picture(title=plate.title) for plate in plates]
    name = f"album of {len(pictures)} pictures"
    with transaction.atomic(), batch(name, on_end=sum_up_album.new()) as drawn:
        Picture.objects.bulk_create(reversed(pictures))
        jobs = draw_picture.using(batch=drawn).enqueue_many(
            {"picture_id": picture.pk, "motif": plate.motif, "seed": plate.seed}
            for picture, plate in zip(pictures, plates, strict=True)
        )
        Picture.objects.attach(pictures, job="draw_job", ids=jobs.ids)
    return pictures


def publish(pictures: Iterable[Picture]) -> int:
    """Ask for publication; who asks twice gets the same jobs. Returns how many are under way."""
    wanted = list(pictures)
    if not wanted:
        return 0
    name = f"publication of {len(wanted)} pictures"
    with transaction.atomic(), batch(name) as published:
        jobs = enqueue_many(
            NewJob(
                publish_picture,
                {"picture_id": picture.pk},
                batch=published,
                dedupe_key=f"gallery.publish_picture {picture.pk}",
            )
            for picture in wanted
        )
        Picture.objects.attach(wanted, job="publish_job", ids=jobs.ids)
    return len(wanted)


def export() -> Job:
    """Ask for an archive of all pictures; while one is under way, that is the job."""
    pictures = Picture.objects.exclude(image="").count()
    return export_pictures.using(dedupe_key=EXPORT_KEY).enqueue(
        seconds_each=EXPORT_SECONDS / max(pictures, 1)
    )


def cancel_export() -> bool:
    """Cancel the export that is under way, or ask it to stop; says whether there was one."""
    return bool(Job.objects.filter(dedupe_key=EXPORT_KEY).cancel("in the gallery"))


def _stored(file: File[bytes]) -> Picture:
    """The file is written here, before a transaction holds the database's only write lock."""
    name = file.name or ""
    picture = Picture(title=PurePath(name).stem[:200] or "Untitled")
    picture.image.save(name, file, save=False)
    return picture
