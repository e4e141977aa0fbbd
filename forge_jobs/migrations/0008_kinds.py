"""Finished jobs are found by their kind, too."""

from django.db import migrations, models

from forge_jobs.migrations._online import RenewIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('forge_jobs', '0007_tasks'),
    ]

    operations = [
        RenewIndexOnline(
            'job',
            models.Index(models.F('queue'), models.F('state'), models.F('finished_at'), models.F('id'), models.F('kind'), condition=models.Q(('state__in', ('succeeded', 'dead', 'cancelled'))), name='forge_jobs_finished'),
        ),
    ]
