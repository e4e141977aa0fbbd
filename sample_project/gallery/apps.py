"""Tells Django about the gallery."""

from django.apps import AppConfig


class GalleryConfig(AppConfig):
    name = "sample_project.gallery"
    label = "gallery"
