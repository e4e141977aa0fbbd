"""Queues."""

from django.contrib import admin

from forge_jobs.admin.base import ForgeAdmin
from forge_jobs.models import Queue


@admin.register(Queue)
class QueueAdmin(ForgeAdmin):
    tab = "queues"
