import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('forge_jobs', '0014_steps'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChildRestart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=200, verbose_name='kind')),
                ('reason', models.CharField(choices=[('ended', 'ended unasked'), ('garbage', 'broke the protocol'), ('timed_out', 'job timed out'), ('cancelled', 'job cancelled or killed'), ('memory', 'used too much memory'), ('jobs', 'enough jobs done'), ('unfit', 'could not start')], max_length=20, verbose_name='reason')),
                ('times', models.PositiveBigIntegerField(verbose_name='times')),
                ('last_at', models.DateTimeField(verbose_name='last at')),
            ],
            options={
                'verbose_name': 'child restart',
                'verbose_name_plural': 'child restarts',
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('kind', 'reason'), name='forge_jobs_child_restart')],
            },
        ),
        migrations.CreateModel(
            name='Child',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=200, verbose_name='kind')),
                ('pid', models.PositiveIntegerField(verbose_name='process id')),
                ('jobs_done', models.PositiveBigIntegerField(verbose_name='jobs done')),
                ('rss_bytes', models.PositiveBigIntegerField(verbose_name='memory in bytes')),
                ('job_id', models.BigIntegerField(help_text='Which it runs.', null=True, verbose_name='job')),
                ('process', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='children', to='forge_jobs.process', verbose_name='process')),
            ],
            options={
                'verbose_name': 'child',
                'verbose_name_plural': 'children',
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('process', 'pid'), name='forge_jobs_child_pid')],
            },
        ),
    ]
