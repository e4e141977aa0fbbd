"""All images in one archive: slow work that shows how far it is, and that one can stop."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from django.conf import settings

from forge_jobs import JobContext
from sample_project.gallery.models import Picture

KEPT: Final = 3
"""How many archives stay; older ones make way."""


def export(ctx: JobContext, pictures: Sequence[Picture], *, seconds_each: float) -> str:
    """Write the archive, and return its address.

    Asked to stop, it raises `Cancelled`, and leaves nothing behind. `seconds_each` makes it slow
    enough to look on.
    """
    folder = Path(settings.MEDIA_ROOT) / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"gallery-{ctx.job_id}.zip"
    with _written(path) as draft, zipfile.ZipFile(draft, "w") as archive:
        for place, picture in enumerate(pictures, start=1):
            ctx.cancelled.wait(seconds_each)
            ctx.cancelled.raise_if_set()
            with suppress(FileNotFoundError):  # it was let go in the meantime
                archive.write(picture.image.path, f"{place:04} {_name(picture)}")
            ctx.progress(place, len(pictures), picture.title)
    _forget_old(folder)
    return f"{settings.MEDIA_URL}exports/{path.name}"


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """A file that takes its name only once it is whole."""
    draft = path.with_suffix(".part")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _name(picture: Picture) -> str:
    plain = "".join(letter if letter.isalnum() else " " for letter in picture.title).strip()
    return f"{plain or picture.pk}{Path(str(picture.image)).suffix}"


def _forget_old(folder: Path) -> None:
    newest_first = sorted(folder.glob("*.zip"), key=lambda file: -file.stat().st_mtime)
    for old in newest_first[KEPT:]:
        old.unlink(missing_ok=True)
