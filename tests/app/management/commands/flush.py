"""Empties the tables that a test wrote to; Django's own empties them all, and fills some anew."""

from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import connections, transaction

KEPT: Final = {"auth_permission", "django_content_type"}
"""As the migrations left them: that is why nobody needs to hear that they have run."""
MANY: Final = 1_000
"""So many rows leave behind what PostgreSQL would reckon with in the next test."""


class Command(BaseCommand):
    stealth_options = (
        "database",
        "interactive",
        "reset_sequences",
        "allow_cascade",
        "inhibit_post_migrate",
    )

    def handle(self, *, database: str, **options: Any) -> None:
        connection = connections[database]
        names = {*connection.introspection.django_table_names()} - KEPT
        looks = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names]
        deleted = 0
        with transaction.atomic(using=database), connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(looks))
            for (name,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {name}")
                deleted += cursor.rowcount
        if deleted > MANY and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM")
