"""A task of a package that makes it while apps are still being loaded."""

import django

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task


@task()
def enlist() -> None: ...
