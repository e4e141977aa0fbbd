"""What people can do here: each stores its pictures and its jobs together, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

from django.core.files import File
from django.db import transaction

from forge_jobs import NewJob, batch, enqueue_many
from forge_jobs.models import Batch, Job
from sample_project.gallery.album import Plate
from sample_project.gallery.jobs import (
    draw_picture,
    export_pictures,
    find_colours,
    make_thumbnail,
    publish_catalogue,
    publish_picture,
    sum_up_album,
)
from sample_project.gallery.models import Picture

ALBUM: Final = "album of "
PUBLICATION: Final = "publication of "
"""How the names of batches begin."""

EXPORT_KEY: Final = "gallery.export_pictures"
EXPORT_SECONDS: Final = 20.0
"""How long an export takes: long enough to look on, and to cancel it."""

CATALOGUE_KEY: Final = "gallery.publish_catalogue"
STEP_SECONDS: Final = 4.0
"""How long each step of a catalogue takes: long enough to end the worker in it."""


def upload(files: Iterable[File[bytes]]) -> list[Picture]:
    """Keep the files, whatever is in them: decoding them is for the jobs."""
    pictures = [_stored(file) for file in files]
    try:
        with transaction.atomic():
            Picture.objects.bulk_create(pictures)
            jobs = make_thumbnail.enqueue_many([{"picture_id": row.pk} for row in pictures])
            Picture.objects.attach(pictures, job="thumbnail_job", ids=jobs.ids)
            enqueue_many(
                NewJob(find_colours, {"picture_id": row.pk}, after=row.thumbnail_job_id)
                for row in pictures
            )
    except BaseException:
        for picture in pictures:
            picture.image.delete(save=False)
        raise
    return pictures


def import_album(plates: Sequence[Plate]) -> list[Picture]:
    """Ask for all plates in one batch, which tells when the last of them is done."""
    name = f"{ALBUM}{len(plates)} pictures"
    with transaction.atomic(), batch(name, on_end=sum_up_album.new()) as drawn:
        return hang(plates, batch=drawn)


def hang(plates: Sequence[Plate], *, batch: Batch | None = None) -> list[Picture]:
    """Make room for the plates and ask for them to be drawn, the one shown first at first."""
    pictures = [Picture(title=plate.title) for plate in plates]
    with transaction.atomic():
        Picture.objects.bulk_create(reversed(pictures))
        jobs = draw_picture.using(batch=batch).enqueue_many(
            {"picture_id": picture.pk, "motif": plate.motif, "seed": plate.seed}
            for picture, plate in zip(pictures, plates, strict=True)
        )
        Picture.objects.attach(pictures, job="draw_job", ids=jobs.ids)
    return pictures


def publish_all(pictures: Iterable[Picture]) -> int:
    """Ask for all to be published in one batch; returns how many there are."""
    wanted = list(pictures)
    if not wanted:
        return 0
    with transaction.atomic(), batch(f"{PUBLICATION}{len(wanted)} pictures") as published:
        publish(wanted, batch=published)
    return len(wanted)


def publish(pictures: Iterable[Picture], *, batch: Batch | None = None) -> None:
    """Ask for publication; who asks twice gets the same jobs."""
    wanted = list(pictures)
    with transaction.atomic():
        jobs = enqueue_many(
            NewJob(
                publish_picture,
                {"picture_id": picture.pk},
                batch=batch,
                dedupe_key=f"gallery.publish_picture {picture.pk}",
            )
            for picture in wanted
        )
        Picture.objects.attach(wanted, job="publish_job", ids=jobs.ids)


def publish_a_catalogue() -> Job:
    """Ask for a catalogue of the newest pictures; while one is under way, that is the job."""
    return publish_catalogue.using(dedupe_key=CATALOGUE_KEY).enqueue(seconds_each=STEP_SECONDS)


def export() -> Job:
    """Ask for an archive of all pictures, those of an import under way as well.

    While one is under way, that is the job.
    """
    pictures = Picture.objects.count()
    return export_pictures.using(dedupe_key=EXPORT_KEY, after_end=imports_under_way()).enqueue(
        seconds_each=EXPORT_SECONDS / max(pictures, 1)
    )


def cancel_export() -> bool:
    """Cancel the export that is under way, or ask it to stop; says whether there was one."""
    return bool(Job.objects.filter(dedupe_key=EXPORT_KEY).cancel("in the gallery"))


def imports_under_way() -> list[Batch]:
    return list(Batch.objects.unended().filter(name__startswith=ALBUM))


def _stored(file: File[bytes]) -> Picture:
    """The file is written here, before a transaction holds the database's only write lock."""
    name = file.name or ""
    picture = Picture(title=PurePath(name).stem[:200] or "Untitled")
    picture.image.save(name, file, save=False)
    return picture
