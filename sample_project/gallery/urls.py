"""The addresses of the gallery and of the API that it publishes to."""

from django.urls import path

from sample_project.gallery import fake_api, views

app_name = "gallery"
urlpatterns = [
    path("", views.index, name="index"),
    path("status/", views.status, name="status"),
    path("upload/", views.upload, name="upload"),
    path("album/", views.import_album, name="import-album"),
    path("publish/", views.publish_all, name="publish-all"),
    path("publish/<int:picture_id>/", views.publish, name="publish"),
    path("catalogue/", views.publish_catalogue, name="publish-catalogue"),
    path("export/", views.export, name="export"),
    path("export/cancel/", views.cancel_export, name="cancel-export"),
    path("fake-api/pictures/", fake_api.pictures, name="fake-api"),
]
