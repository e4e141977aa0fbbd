"""manage.py seed_demo"""

from typing import Any

from django.core.management.base import BaseCommand

from sample_project.gallery.seed import seed_login, seed_pictures, seed_works


class Command(BaseCommand):
    help = "Make sure that there is a login for the admin, and a dozen pictures to look at."

    def handle(self, *args: Any, **options: Any) -> None:
        if seed_login():
            self.stdout.write("Created the superuser demo with the password demo.")
        if count := seed_pictures():
            self.stdout.write(f"Asked for {count} pictures; a worker will draw them.")
        if seed_works():
            self.stdout.write("Asked for a catalogue in steps, and a slow export to be cancelled.")
