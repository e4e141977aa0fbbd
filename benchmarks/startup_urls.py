"""The admin alone: what else a project has must not bring `forge_jobs` in by itself."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
