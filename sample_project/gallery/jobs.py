"""The gallery's jobs: draw a picture, make its thumbnail, find its colours; publish, export."""

from collections.abc import Callable
from datetime import timedelta
from typing import ParamSpec, TypedDict, TypeVar

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from forge_jobs import Cancelled, Chunk, Dead, Done, JobContext, chunk_job, job
from forge_jobs.backoff import Exponential
from sample_project.gallery import catalogues, colours, exports, publishing, thumbnails
from sample_project.gallery.drawing import UnknownMotifError, draw
from sample_project.gallery.models import Picture

P = ParamSpec("P")
T = TypeVar("T")


@job(queue="images", takes_context=True, timeout=timedelta(seconds=60))
def draw_picture(ctx: JobContext, *, picture_id: int, motif: str, seed: int) -> None:
    """Draw the image, then ask for its thumbnail, and after that for its colours."""
    picture = _find(picture_id)
    if picture.image:
        return
    try:
        content = draw(motif, seed=seed)
    except UnknownMotifError as error:
        raise Dead(str(error)) from error
    picture.image.save(f"{motif}.jpg", ContentFile(content), save=False)
    mine = Picture.objects.filter(pk=picture_id)
    with transaction.atomic():
        if mine.receive(image=str(picture.image)):
            # Of the album's batch, too, which therefore ends only with the last of these.
            thumbnail = make_thumbnail.using(batch=ctx.batch).enqueue(picture_id=picture_id)
            mine.update(thumbnail_job=thumbnail)
            after = find_colours.using(batch=ctx.batch, after=thumbnail)
            after.enqueue(picture_id=picture_id)


# Before the drawings that wait in the same queue: what is there already should be seen soon.
@job(queue="images", priority=10, timeout=timedelta(seconds=60), api=True)
def make_thumbnail(*, picture_id: int) -> Done:
    """Make the thumbnail and note the image's size; dead if the image can't be decoded."""
    picture = _find(picture_id)
    with picture.image.open() as file:
        content = file.read()
    try:
        made = thumbnails.make(content)
    except thumbnails.DecodeError as error:
        raise Dead(f"cannot be decoded: {error}") from error
    picture.thumbnail.save(f"{picture_id}.jpg", ContentFile(made.jpeg), save=False)
    picture.width, picture.height = made.width, made.height
    picture.save(update_fields=["thumbnail", "width", "height"])
    return Done({"width": made.width, "height": made.height})


class Thumbnailed(TypedDict):
    picture_id: int


@chunk_job(size=32, wait=timedelta(seconds=1), timeout=timedelta(seconds=60))
def find_colours(chunk: Chunk[Thumbnailed]) -> None:
    """Find the colours of up to 32 pictures, which are read and written with one statement each."""
    ids = [payload["picture_id"] for payload in chunk.payloads]
    pictures = Picture.objects.exclude(thumbnail="").in_bulk(ids)
    for picture in pictures.values():
        with picture.thumbnail.open() as file:
            picture.colours = colours.find(file.read())
    Picture.objects.bulk_update(pictures.values(), ["colours"])
    for item in chunk:
        if found := pictures.get(item.payload["picture_id"]):
            item.done({"colours": found.colours, "jobs in this call": len(chunk)})
        else:
            item.answer(Cancelled("the picture no longer exists"))


@job(takes_context=True)
def sum_up_album(ctx: JobContext) -> Done:
    """Once all of an album is drawn: how its jobs ended, which a batch tells what comes after."""
    (counts,) = ctx.results
    return Done(counts)


@job(
    queue="publish",
    max_attempts=8,
    timeout=timedelta(seconds=30),
    retry=Exponential(base=timedelta(seconds=1), cap=timedelta(seconds=30)),
)
def publish_picture(*, picture_id: int) -> Done:
    """Tell the API of the picture; being told twice does it no harm."""
    picture = _find(picture_id)
    told = {
        "id": picture.pk,
        "title": picture.title,
        "size": [picture.width, picture.height],
    }
    address = publishing.post(told, idempotency_key=f"picture-{picture.pk}")
    Picture.objects.filter(pk=picture_id).publish(now=timezone.now())
    return Done({"address": address})


# Before the pictures that wait in the same queue: somebody looks on.
@job(
    queue="publish",
    priority=10,
    takes_context=True,
    max_attempts=8,
    timeout=timedelta(minutes=2),
    retry=Exponential(base=timedelta(seconds=1), cap=timedelta(seconds=30)),
)
def publish_catalogue(ctx: JobContext, *, seconds_each: float = 0.0) -> Done:
    """Publish a catalogue, step by step: whatever ends a run, the next one goes on where it was.

    `seconds_each` makes the steps slow enough to end the worker between two of them.
    """

    def slowly(done: int, say: str, step: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        ctx.progress(done, 4, say)
        ctx.cancelled.wait(seconds_each)
        ctx.cancelled.raise_if_set()
        return step(*args, **named)

    chosen = ctx.step("choose", slowly, 0, "chooses pictures", catalogues.choose)
    sheet = ctx.step(
        "print", slowly, 1, "prints a sheet", catalogues.print_sheet, chosen, name=f"{ctx.job_id}"
    )
    address = ctx.step(
        "announce", slowly, 2, "tells the API", catalogues.announce, chosen, key=ctx.job_id
    )
    number = ctx.atomic_step("enter", catalogues.enter, sheet=sheet, address=address)
    ctx.progress(4, 4)
    return Done({"catalogue": number, "address": sheet})


@job(takes_context=True, timeout=timedelta(minutes=30), max_attempts=2)
def export_pictures(ctx: JobContext, *, seconds_each: float = 0.0) -> Done:
    """Pack all images into one archive, of which the address is the result."""
    pictures = list(Picture.objects.exclude(image="").order_by("pk"))
    return Done({"address": exports.export(ctx, pictures, seconds_each=seconds_each)})


@job
def tidy_up() -> Done:
    """Let the oldest pictures go, with their files, so that a gallery left alone stays small."""
    old = list(Picture.objects.settled().order_by("-pk")[settings.GALLERY_LENGTH :])
    for picture in old:
        picture.delete()
        picture.image.delete(save=False)
        picture.thumbnail.delete(save=False)
    return Done({"removed": len(old)})


def _find(picture_id: int) -> Picture:
    try:
        return Picture.objects.get(pk=picture_id)
    except Picture.DoesNotExist as error:
        raise Cancelled(f"picture {picture_id} no longer exists") from error


if settings.GALLERY_VISITORS:
    from sample_project.gallery import visitors  # noqa: F401 - importing registers its handler
