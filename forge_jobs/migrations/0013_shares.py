import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('forge_jobs', '0012_expiring'),
    ]

    operations = [
        migrations.CreateModel(
            name='Share',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('queue', models.CharField(max_length=100, verbose_name='queue')),
                ('slots', models.PositiveIntegerField(help_text="How many of the queue's jobs the process may run at once.", verbose_name='slots')),
                ('wanted', models.PositiveIntegerField(help_text='How many it could use, when it last said so.', verbose_name='wanted')),
                ('since', models.DateTimeField(verbose_name='since')),
                ('process', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='shares', to='forge_jobs.process', verbose_name='process')),
            ],
            options={
                'verbose_name': 'share',
                'verbose_name_plural': 'shares',
            },
        ),
        migrations.AddConstraint(
            model_name='share',
            constraint=models.UniqueConstraint(fields=('queue', 'process'), name='forge_jobs_share_of_queue'),
        ),
        # Processes of the release before read and write the table until the last of them has ended.
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name='SlotAssignment')],
        ),
    ]
