"""The sample album: titles, motifs and seeds for as many pictures as are wanted."""

from dataclasses import dataclass
from random import Random

from sample_project.gallery.drawing import TORN
from sample_project.gallery.motifs import MOTIFS

LENGTH = 300
TORN_PLATES = (7, 151)
"""Places in the album whose pictures can't be decoded, so that dead jobs are seen, too."""

MOODS = ("Amber", "Blue", "Distant", "Early", "Faded", "Gentle", "Hidden", "Late", "Northern")
MORE_MOODS = ("Pale", "Quiet", "Restless", "Silver", "Slow", "Still", "Tall", "Warm", "Wide")
SUBJECTS = {
    "hills": ("Hills", "Ridge", "Valley", "Horizon", "Heights"),
    "lake": ("Lake", "Shore", "Mirror", "Bay", "Crossing"),
    "waves": ("Waves", "Tide", "Dunes", "Layers", "Drift"),
    "bubbles": ("Lanterns", "Foam", "Seeds", "Rain", "Embers"),
    "tiles": ("Tiles", "Quilt", "Pavement", "Windows", "Mosaic"),
    TORN: ("Negative", "Page", "Print"),
}


@dataclass(frozen=True, kw_only=True)
class Plate:
    """One picture of an album, before it is drawn."""

    title: str
    motif: str
    seed: int


def plates(count: int, *, torn: tuple[int, ...] = (), first_seed: int = 0) -> list[Plate]:
    """`count` plates, those at the places `torn` (from 0) undecodable."""
    return [
        _plate(TORN if place in torn else _motif(place), seed=first_seed + place)
        for place in range(count)
    ]


def _motif(place: int) -> str:
    return tuple(MOTIFS)[place % len(MOTIFS)]


def _plate(motif: str, *, seed: int) -> Plate:
    random = Random(seed)  # noqa: S311 - no secret
    mood = "Torn" if motif == TORN else random.choice(MOODS + MORE_MOODS)
    return Plate(title=f"{mood} {random.choice(SUBJECTS[motif])}", motif=motif, seed=seed)
