"""Makes thumbnails: bytes in, bytes out."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

BOX = (480, 480)
# Not all that Pillow knows: for some formats it starts other programs.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
# What Pillow's decoders raise for bytes that are not what they pretend to be.
UNDECODABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


class DecodeError(Exception):
    """The bytes are no picture; says why."""


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    jpeg: bytes
    width: int
    """Pixels of the original, as it is meant to be looked at."""
    height: int


def make(content: bytes) -> Thumbnail:
    """A JPEG that fits `BOX`; raises `DecodeError`."""
    try:
        return _make(content)
    except UnidentifiedImageError as error:
        raise DecodeError("the file is no picture, or of an unknown format") from error
    except UNDECODABLE as error:
        raise DecodeError(str(error) or type(error).__name__) from error


def _make(content: bytes) -> Thumbnail:
    if not content:
        raise DecodeError("the file is empty")
    with Image.open(BytesIO(content), formats=FORMATS) as image:
        width, height = image.size
        image.thumbnail(BOX)
        upright = ImageOps.exif_transpose(image)
        if (image.width > image.height) != (upright.width > upright.height):
            width, height = height, width
        jpeg = BytesIO()
        _on_white(upright).save(jpeg, "JPEG", quality=85, progressive=True)
    return Thumbnail(jpeg=jpeg.getvalue(), width=width, height=height)


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    page = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(page, image.convert("RGBA")).convert("RGB")
