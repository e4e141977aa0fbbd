"""Every address of the sample project."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("jobs/api/", include("forge_jobs.api.urls")),
    path("", include("sample_project.gallery.urls")),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
