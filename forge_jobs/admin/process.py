"""Processs."""

from django.contrib import admin

from forge_jobs.admin.base import ForgeAdmin
from forge_jobs.models import Process


@admin.register(Process)
class ProcessAdmin(ForgeAdmin):
    tab = "processes"
