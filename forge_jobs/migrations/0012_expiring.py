"""Jobs that expire are found, and may stand behind one with their key."""

from django.db import migrations, models
from django.db.models.functions import Coalesce

from forge_jobs.migrations._online import AddIndexOnline, RenewUniqueOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('forge_jobs', '0011_held'),
    ]

    operations = [
        AddIndexOnline(
            model_name='job',
            index=models.Index(models.F('expires_at'), models.F('id'), condition=models.Q(('expires_at__isnull', False), ('finished_at__isnull', True)), name='forge_jobs_expiring'),
        ),
        RenewUniqueOnline(
            'job',
            models.UniqueConstraint(models.F('dedupe_key'), Coalesce('dedupe_turn', 0), condition=models.Q(('dedupe_key__isnull', False), ('state__in', ('scheduled', 'ready', 'blocked', 'held', 'running', 'retrying'))), name='forge_jobs_dedupe'),
        ),
    ]
