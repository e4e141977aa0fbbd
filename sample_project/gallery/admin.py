"""Shows pictures in the admin, next to their jobs, and the catalogues."""

from django.contrib import admin
from django.http import HttpRequest

from sample_project.gallery.models import Catalogue, Picture


@admin.register(Picture)
class PictureAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # only in stubs
    list_display = ("title", "width", "height", "created_at", "published_at")
    list_filter = ("published_at",)
    search_fields = ("title",)
    fields = ("title", "image", "thumbnail", "width", "height", *Picture.JOBS)
    readonly_fields = fields[1:]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Pictures come by upload, together with their jobs."""
        return False


@admin.register(Catalogue)
class CatalogueAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("__str__", "address", "published_at")
    readonly_fields = ("sheet", "address", "published_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A job publishes them."""
        return False
