"""No pages at all, for processes that show none."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
