"""The steps by which a catalogue of pictures is published."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from forge_jobs import Dead
from sample_project.gallery import publishing
from sample_project.gallery.models import Catalogue, Picture

LENGTH: Final = 12
COLUMNS: Final = 4
CELL: Final = (240, 180)
GAP: Final = 8
PAPER: Final = "#f5f3ee"


def choose() -> list[int]:
    """The keys of the newest pictures; an hour later they would be others. Raises `Dead`."""
    shown = Picture.objects.exclude(thumbnail="").order_by("-pk")
    if not (chosen := list(shown.values_list("pk", flat=True)[:LENGTH])):
        raise Dead("There is no picture yet to make a catalogue of.")
    return chosen


def print_sheet(pictures: Sequence[int], *, name: str) -> str:
    """All of them on one sheet; returns the address of its image."""
    rows = -(-len(pictures) // COLUMNS)
    width, height = (size + GAP for size in CELL)
    sheet = Image.new("RGB", (COLUMNS * width + GAP, rows * height + GAP), PAPER)
    for place, picture in enumerate(Picture.objects.filter(pk__in=pictures).order_by("-pk")):
        row, column = divmod(place, COLUMNS)
        with picture.thumbnail.open() as file, Image.open(file) as image:
            cell = ImageOps.fit(image, CELL)
        sheet.paste(cell, (GAP + column * width, GAP + row * height))
    jpeg = BytesIO()
    sheet.save(jpeg, "JPEG", quality=85)
    path = f"catalogues/{name}.jpg"
    default_storage.delete(path)  # of a run that was ended before the step was stored
    return default_storage.url(default_storage.save(path, ContentFile(jpeg.getvalue())))


def announce(pictures: Sequence[int], *, key: int) -> str:
    """Tell the API; returns the address that it gave. Being told twice does it no harm."""
    told = {"id": key, "pictures": list(pictures)}
    return publishing.post(told, idempotency_key=f"catalogue-{key}")


def enter(*, sheet: str, address: str) -> int:
    """Enter it into the list of catalogues; returns its number."""
    return Catalogue.objects.create(sheet=sheet, address=address).pk
