"""People who come by, for the demonstration: they import pictures, and have them published."""

from random import Random
from typing import Final

from forge_jobs import Snoozed, job
from sample_project.gallery import actions, album
from sample_project.gallery.models import Picture

PLATES_A_VISIT: Final = 3
PUBLISHED_A_VISIT: Final = 1
TORN_ONE_IN: Final = 40
SECONDS_BETWEEN: Final = (0.5, 3.0)

_random = Random()  # noqa: S311 - no secret


@job(resident=True, kind="gallery.visitors")
def visitors() -> Snoozed:
    """Let somebody come by, and the next one a little later."""
    torn = (0,) if _random.randrange(TORN_ONE_IN) == 0 else ()
    count = _random.randint(1, PLATES_A_VISIT)
    actions.hang(album.plates(count, torn=torn, first_seed=_random.randrange(1_000_000)))
    actions.publish(Picture.objects.publishable()[:PUBLISHED_A_VISIT])
    return Snoozed(delay=_random.uniform(*SECONDS_BETWEEN))
