"""`DATABASE_URL`: what it may say, and what it may not."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from sample_project.database import from_url


def test_an_address_names_host_port_and_login() -> None:
    database = from_url("postgresql://ann:p%40ss@db.example:5433/gallery?sslmode=require")

    assert database == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "gallery",
        "USER": "ann",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


def test_an_address_may_name_a_socket() -> None:
    assert from_url("postgresql:///gallery?host=/run/postgresql")["HOST"] == "/run/postgresql"


@pytest.mark.parametrize("url", ["mysql://db/gallery", "postgresql://db", "gallery"])
def test_another_kind_of_address_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must look like"):
        from_url(url)
