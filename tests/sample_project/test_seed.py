"""The demonstration: a login, a dozen pictures, a free port, and workers that are replaced."""

import subprocess
import time
from socket import socket

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from forge_jobs.models import Job
from sample_project.gallery.demo import HOST, Child, free_port, watch
from sample_project.gallery.models import Picture


@pytest.mark.django_db
def test_seeding_twice_seeds_once(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        call_command("seed_demo")

    assert client.login(username="demo", password="demo")
    assert Picture.objects.count() == Job.objects.filter(queue="images").count() == 12
    assert Job.objects.filter(kind="gallery.export_pictures").count() == 1
    assert capsys.readouterr().out.count("Created") == 1


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert free_port(port) > port


def test_a_port_beyond_the_last_is_refused() -> None:
    with pytest.raises(CommandError, match="No port is free from 65536 on"):
        free_port(65536)


def ended(*command: str, age: float) -> Child:
    process = subprocess.Popen(["true"])
    process.wait()
    return Child(command, {}, process, time.monotonic() - age)


def test_a_worker_that_somebody_ends_is_replaced_unless_it_never_worked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Child, "replaced", lambda child: ended(*child.command, age=0))
    said: list[str] = []

    assert watch([ended("runjobs", age=60)], port=1, say=said.append) == 1
    assert said == [
        "The worker has ended, with 0. A new one starts.",
        "runjobs ended by itself, with 0.",
    ]


def test_the_demonstration_ends_with_its_server() -> None:
    said: list[str] = []

    assert watch([ended("runserver", age=60)], port=1, say=said.append) == 1
    assert said == ["runserver ended by itself, with 0."]
