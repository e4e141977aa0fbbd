"""Jobs that are held: what is said of unfinished jobs holds for them as well."""

from django.db import migrations, models

from forge_jobs.migrations._online import (
    AddIndexOnline,
    RenewCheckOnline,
    RenewIndexOnline,
    RenewUniqueOnline,
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('forge_jobs', '0010_sets'),
    ]

    operations = [
        RenewCheckOnline(
            'job',
            models.CheckConstraint(condition=models.Q(('state__in', ['scheduled', 'ready', 'blocked', 'held', 'running', 'retrying', 'succeeded', 'dead', 'cancelled'])), name='forge_jobs_known_state'),
        ),
        RenewIndexOnline(
            'job',
            models.Index(models.F('schedule'), condition=models.Q(('schedule__isnull', False), ('state__in', ('scheduled', 'ready', 'blocked', 'held', 'running', 'retrying'))), name='forge_jobs_open_of_schedule'),
        ),
        AddIndexOnline(
            model_name='job',
            index=models.Index(models.F('batch'), models.F('state'), models.F('id'), condition=models.Q(('batch__isnull', False)), name='forge_jobs_of_batch'),
        ),
        AddIndexOnline(
            model_name='job',
            index=models.Index(models.F('gate'), models.F('state'), models.F('id'), condition=models.Q(('gate__isnull', False)), name='forge_jobs_of_gate'),
        ),
        RenewUniqueOnline(
            'job',
            models.UniqueConstraint(models.F('dedupe_key'), condition=models.Q(('dedupe_key__isnull', False), ('state__in', ('scheduled', 'ready', 'blocked', 'held', 'running', 'retrying'))), name='forge_jobs_dedupe'),
        ),
        AddIndexOnline(
            model_name='job',
            index=models.Index(models.F('run_at'), models.F('id'), condition=models.Q(('state', 'held')), name='forge_jobs_held'),
        ),
    ]
