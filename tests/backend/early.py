"""A task of a package that makes it while apps are still being loaded."""

from typing import TYPE_CHECKING

import django

if TYPE_CHECKING or django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task


@task()
def enlist() -> None: ...
