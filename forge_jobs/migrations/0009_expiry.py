"""Jobs that expire, or stand behind one with their key; labels."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('forge_jobs', '0008_kinds'),
    ]

    operations = [
        migrations.CreateModel(
            name='JobLabel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(max_length=100, verbose_name='label')),
                ('job', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='labels', to='forge_jobs.job', verbose_name='job')),
            ],
            options={
                'verbose_name': 'label',
                'verbose_name_plural': 'labels',
                'default_permissions': (),
                'indexes': [models.Index(models.F('label'), models.F('job'), name='forge_jobs_labelled')],
                'constraints': [models.UniqueConstraint(models.F('job'), models.F('label'), name='forge_jobs_label')],
            },
        ),
        migrations.AddField(
            model_name='job',
            name='dedupe_turn',
            field=models.IntegerField(null=True, verbose_name='dedupe turn'),
        ),
        migrations.AddField(
            model_name='job',
            name='expires_at',
            field=models.DateTimeField(help_text='Not told any more once the job has begun.', null=True, verbose_name='expires at'),
        ),
    ]
