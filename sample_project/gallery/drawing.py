"""Draws pictures: the same motif and seed always give the same picture."""

from io import BytesIO
from random import Random

from sample_project.gallery.motifs import MOTIFS, PALETTES, Canvas

SIZE = (800, 600)
TORN = "torn"
OVERSAMPLING = 2


class UnknownMotifError(ValueError):
    """There is no painter for the motif."""


def draw(motif: str, *, seed: int) -> bytes:
    """A JPEG of 800 by 600 pixels; the motif `torn` gives the first part of one. ~0.1 s."""
    if motif == TORN:
        whole = draw("hills", seed=seed)
        return whole[: len(whole) // 3]
    if motif not in MOTIFS:
        raise UnknownMotifError(f"{motif!r} is none of {', '.join(MOTIFS)}")
    return _paint(motif, seed=seed)


def _paint(motif: str, *, seed: int) -> bytes:
    random = Random(f"{motif} {seed}")  # noqa: S311 - no secret
    width, height = SIZE
    canvas = Canvas(
        width * OVERSAMPLING,
        height * OVERSAMPLING,
        palette=random.choice(PALETTES),
        random=random,
    )
    MOTIFS[motif](canvas)
    jpeg = BytesIO()
    canvas.image.reduce(OVERSAMPLING).save(jpeg, "JPEG", quality=88)
    return jpeg.getvalue()
