from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('forge_jobs', '0008_requested_state'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='schedule',
            options={'permissions': [('trigger_schedule', 'Can trigger, enable and disable schedules')], 'verbose_name': 'schedule', 'verbose_name_plural': 'schedules'},
        ),
    ]
