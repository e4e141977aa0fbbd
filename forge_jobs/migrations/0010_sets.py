"""Sets of jobs: batches, and what jobs come after."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('forge_jobs', '0009_expiry'),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('state', models.CharField(choices=[('open', 'open'), ('sealed', 'sealed'), ('succeeded', 'succeeded'), ('failed', 'failed')], default='open', max_length=10, verbose_name='state')),
                ('opened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='opened at')),
                ('sealed_at', models.DateTimeField(null=True, verbose_name='sealed at')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended at')),
                ('expires_at', models.DateTimeField(help_text='Then it is sealed and cancelled, if it is open.', null=True, verbose_name='expires at')),
                ('counts', models.JSONField(help_text='How many jobs ended in which state, at the end.', null=True, verbose_name='counts')),
            ],
            options={
                'verbose_name': 'batch',
                'verbose_name_plural': 'batches',
            },
        ),
        migrations.CreateModel(
            name='Gate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('closed', 'closed'), ('open', 'open'), ('broken', 'broken')], default='closed', max_length=10, verbose_name='state')),
                ('reason', models.TextField(default='', help_text='Why it is broken.', verbose_name='reason')),
                ('is_done', models.BooleanField(default=False, help_text='Its jobs have been let go, or cancelled.', verbose_name='is done')),
            ],
            options={
                'verbose_name': 'gate',
                'verbose_name_plural': 'gates',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Predecessor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveIntegerField(verbose_name='place')),
                ('needs', models.CharField(choices=[('success', 'success'), ('failure', 'failure'), ('end', 'end')], max_length=10, verbose_name='needs')),
            ],
            options={
                'verbose_name': 'predecessor',
                'verbose_name_plural': 'predecessors',
                'default_permissions': (),
            },
        ),
        migrations.AlterField(
            model_name='job',
            name='state',
            field=models.CharField(choices=[('scheduled', 'scheduled'), ('ready', 'ready'), ('blocked', 'blocked'), ('held', 'held'), ('running', 'running'), ('retrying', 'retrying'), ('succeeded', 'succeeded'), ('dead', 'dead'), ('cancelled', 'cancelled')], max_length=20, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='jobtotal',
            name='state',
            field=models.CharField(choices=[('scheduled', 'scheduled'), ('ready', 'ready'), ('blocked', 'blocked'), ('held', 'held'), ('running', 'running'), ('retrying', 'retrying'), ('succeeded', 'succeeded'), ('dead', 'dead'), ('cancelled', 'cancelled')], max_length=20, verbose_name='state'),
        ),
        migrations.AddField(
            model_name='batch',
            name='parent',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='children', to='forge_jobs.batch', verbose_name='part of'),
        ),
        migrations.AddField(
            model_name='job',
            name='batch',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='jobs', to='forge_jobs.batch', verbose_name='batch'),
        ),
        migrations.AddIndex(
            model_name='gate',
            index=models.Index(models.F('id'), condition=models.Q(('state', 'closed')), name='forge_jobs_gate_closed'),
        ),
        migrations.AddIndex(
            model_name='gate',
            index=models.Index(models.F('id'), condition=models.Q(('is_done', False)), name='forge_jobs_gate_undone'),
        ),
        migrations.AddField(
            model_name='job',
            name='gate',
            field=models.ForeignKey(db_constraint=False, db_index=False, help_text='What the job comes after.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='jobs', to='forge_jobs.gate', verbose_name='gate'),
        ),
        migrations.AddField(
            model_name='predecessor',
            name='batch',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='links', to='forge_jobs.batch', verbose_name='batch'),
        ),
        migrations.AddField(
            model_name='predecessor',
            name='gate',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='predecessors', to='forge_jobs.gate', verbose_name='gate'),
        ),
        migrations.AddField(
            model_name='predecessor',
            name='job',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='links', to='forge_jobs.job', verbose_name='job'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(models.F('state'), models.F('id'), condition=models.Q(('ended_at__isnull', True)), name='forge_jobs_batch_unended'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(models.F('parent'), condition=models.Q(('parent__isnull', False)), name='forge_jobs_batch_parent'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(models.F('ended_at'), name='forge_jobs_batch_ended'),
        ),
        migrations.AddIndex(
            model_name='predecessor',
            index=models.Index(models.F('gate'), models.F('place'), name='forge_jobs_predecessor_place'),
        ),
        migrations.AddIndex(
            model_name='predecessor',
            index=models.Index(models.F('job'), condition=models.Q(('job__isnull', False)), name='forge_jobs_predecessor_job'),
        ),
        migrations.AddIndex(
            model_name='predecessor',
            index=models.Index(models.F('batch'), condition=models.Q(('batch__isnull', False)), name='forge_jobs_predecessor_batch'),
        ),
    ]
