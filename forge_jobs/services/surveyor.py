"""Writes down once a minute how the job database is."""

from datetime import datetime, timedelta

from forge_jobs import db
from forge_jobs.models import DatabaseGauge
from forge_jobs.services.base import Service


class Surveyor(Service):
    """Its size, its log, who is connected, and how many dead rows the job table carries."""

    interval = timedelta(minutes=1)

    def run_once(self, *, now: datetime) -> int:
        with db.connection().cursor() as cursor:
            facts = db.twin().database_facts(cursor)
        DatabaseGauge.objects.create(at=now, **facts._asdict())
        return 1
