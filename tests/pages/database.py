"""Databases of their own for the shops, of the kind that the suite runs on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from os import getpid
from typing import Any

import psycopg
from django.db import connection

SETTINGS = """\
from shop.settings import *

DATABASES["default"] = {database!r}
"""

_numbers = count(1)


@dataclass(frozen=True)
class Lent:
    """`settings` is code that puts it in the place of the shop's; none on SQLite."""

    name: str = "template1"
    settings: str = ""


@contextmanager
def lent(*, like: Lent = Lent()) -> Iterator[Lent]:
    if connection.vendor == "sqlite":
        yield Lent()
        return
    kept = ("ENGINE", "USER", "PASSWORD", "HOST", "PORT")
    given: dict[str, Any] = {key: connection.settings_dict[key] for key in kept}
    name = f"shop_{getpid()}_{next(_numbers)}"
    with psycopg.connect(
        user=given["USER"],
        password=given["PASSWORD"],
        host=given["HOST"],
        port=given["PORT"],
        dbname="postgres",
        autocommit=True,
    ) as session:
        session.execute(f"CREATE DATABASE {name} TEMPLATE {like.name}")
        try:
            yield Lent(name, SETTINGS.format(database={**given, "NAME": name}))
        finally:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)")
