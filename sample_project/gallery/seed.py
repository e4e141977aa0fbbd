"""Fills an empty gallery, so that the demonstration has something to show."""

from django.contrib.auth import get_user_model

from sample_project.gallery import actions, album
from sample_project.gallery.jobs import export_pictures, publish_catalogue
from sample_project.gallery.models import Picture

LOGIN = "demo"
PASSWORD = "demo"  # noqa: S105 - the demonstration's, on this machine only
DOZEN = 12
SECONDS_EACH = 4.0


def seed_login() -> bool:
    """Create the demo superuser; says whether it was missing."""
    users = get_user_model()._default_manager
    if users.filter(username=LOGIN).exists():
        return False
    users.create_superuser(username=LOGIN, password=PASSWORD)
    return True


def seed_pictures() -> int:
    """Ask for a dozen pictures if there are none; returns how many."""
    if Picture.objects.exists():
        return 0
    return len(actions.import_album(album.plates(DOZEN)))


def seed_works() -> int:
    """Ask for a catalogue and an export, both once the pictures are drawn.

    The export is slow enough to be watched, and cancelled. Returns how many there were none of.
    """
    drawn = actions.imports_under_way()
    export = export_pictures.using(dedupe_key=actions.EXPORT_KEY, after_end=drawn)
    catalogue = publish_catalogue.using(dedupe_key=actions.CATALOGUE_KEY, after_end=drawn)
    jobs = (
        catalogue.enqueue(seconds_each=actions.STEP_SECONDS),
        export.enqueue(seconds_each=SECONDS_EACH),
    )
    return sum(not job.was_deduplicated for job in jobs)
