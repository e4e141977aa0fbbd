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
    palette = few.getpalette() or []
    covered = sorted(few.getcolors() or [], reverse=True)
    return ["#" + bytes(palette[3 * place : 3 * place + 3]).hex() for _, place in covered]
