"""What stands on a page of jobs, for people who read it rather than look at it."""

import re
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client

LIST = "/admin/forge_jobs/job/"


def listing(client: Client, **parameters: str) -> str:
    return text_of(client.get(LIST, parameters))


def listed(client: Client, **parameters: str) -> list[int]:
    """The ids of the rows of a page, from above to below."""
    html = client.get(LIST, parameters).content.decode()
    return [int(pk) for pk in re.findall(r'<tr data-key="(\d+)"', html)]


def job_page(client: Client, pk: int) -> str:
    return text_of(client.get(f"{LIST}{pk}/change/"))


def text_of(response: HttpResponse | Any) -> str:
    """The words of a page, without marks."""
    assert response.status_code == 200, response.status_code
    html = response.content.decode()
    body = html[html.index("<main") if "<main" in html else 0 :]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def links(html: str, text: str) -> list[str]:
    """Where the links lead that say so."""
    found = re.findall(rf'<a href="([^"]*)"[^>]*>[^<]*{re.escape(text)}', html)
    return [unescape(address) for address in found]
