"""Finds the colours that a picture is made of."""

from io import BytesIO
from typing import Final

from PIL import Image

COUNT: Final = 5
SAMPLE: Final = (64, 64)


def find(jpeg: bytes) -> list[str]:
    """At most `COUNT` colours as `#rrggbb`, the one that covers most at first."""
    with Image.open(BytesIO(jpeg)) as image:
        image.thumbnail(SAMPLE)
        few = image.convert("RGB").quantize(COUNT)
    colours = bytes(few.getpalette() or []).hex("#", 3).split("#")
    return [f"#{colours[place]}" for _, place in sorted(_covered(few), reverse=True)]


def _covered(image: Image.Image) -> list[tuple[int, int]]:
    """How many pixels each place of the palette has, without those that have none."""
    return [(count, place) for place, count in enumerate(image.histogram()) if count]
