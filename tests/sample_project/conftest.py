"""Gives the gallery's tests a place for files, pictures in it, and an API that does as told."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pytest_django import Settings

from sample_project.gallery import fake_api
from sample_project.gallery.drawing import draw
from sample_project.gallery.jobs import make_thumbnail
from sample_project.gallery.models import Picture

PictureFactory = Callable[..., Picture]
ImageFile = Callable[[str], SimpleUploadedFile]
Api = Callable[..., AbstractContextManager[str]]


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    settings.GALLERY_API_SEED = 1
    fake_api.moods.cache_clear()
    return tmp_path


@pytest.fixture
def picture() -> PictureFactory:
    def create(*, content: bytes = b"", **fields: Any) -> Picture:
        row = Picture(title="Quiet Bay", **fields)
        if content:
            row.image.save("bay.jpg", ContentFile(content), save=False)
        row.save()
        return row

    return create


@pytest.fixture
def shown(picture: PictureFactory) -> PictureFactory:
    """A picture that has its thumbnail."""

    def create() -> Picture:
        row = picture(content=draw("hills", seed=1))
        make_thumbnail(picture_id=row.pk)
        row.refresh_from_db()
        return row

    return create


@pytest.fixture
def image_file() -> ImageFile:
    """A small picture, to be uploaded under a name."""

    def create(name: str) -> SimpleUploadedFile:
        png = BytesIO()
        Image.new("RGB", (12, 8)).save(png, "PNG")
        return SimpleUploadedFile(name, png.getvalue())

    return create


@pytest.fixture
def api() -> Api:
    """An API that gives the same answer for the length of a block; the value is its address."""
    return _api


@contextmanager
def _api(status: int, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
