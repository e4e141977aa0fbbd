"""The admin, and what Prometheus scrapes."""

from django.contrib import admin
from django.urls import path

from forge_jobs.contrib.prometheus import metrics

urlpatterns = [path("admin/", admin.site.urls), path("jobs/metrics", metrics)]
