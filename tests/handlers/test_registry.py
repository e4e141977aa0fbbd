"""Handlers: how functions and objects come to run the jobs of a kind."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from forge_jobs import JobContext, JobHandler, job, register
from forge_jobs.backoff import Fixed
from forge_jobs.exceptions import InvalidHandler, UnknownKind
from forge_jobs.handlers.registry import registry
from tests.app.jobs import noop


class Greeter(JobHandler):
    """Greets; one instance a language."""

    def __init__(self, kind: str, greeting: str = "Hello") -> None:
        self.kind = kind
        self.greeting = greeting

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> str:
        return f"{self.greeting}, {payload['name']}"


def places_of_clashes(kind: str) -> list[tuple[str, str]]:
    return [(clash.older, clash.newer) for clash in registry.clashes if clash.kind == kind]


def test_a_kind_is_the_app_and_the_name_of_the_function_unless_it_is_given() -> None:
    @job(kind="mail.send")
    def post() -> None: ...

    assert (noop.kind, post.kind) == ("app.noop", "mail.send")


def test_a_function_outside_of_all_apps_goes_by_its_module() -> None:
    @job
    def post() -> None: ...

    assert post.kind == "tests.handlers.test_registry.post"


def test_a_handler_is_found_by_its_kind() -> None:
    assert registry.get("app.noop") is noop


def test_each_installed_app_s_jobs_are_found() -> None:
    assert {"app.noop", "gallery.make_thumbnail"} <= set(registry.kinds())


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        UnknownKind,
        match=r"'app.nop' has no handler. Did you mean 'app.noop'\? Known kinds: .*app.noop",
    ):
        registry.get("app.nop")


def test_the_options_of_a_job_are_attributes_of_its_handler() -> None:
    @job(queue="other", priority=7, max_attempts=None, timeout=90, retry=Fixed(), atomic=True)
    def post() -> None: ...

    assert (post.queue, post.priority, post.max_attempts) == ("other", 7, None)
    assert (post.timeout, post.retry, post.atomic) == (timedelta(seconds=90), Fixed(), True)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(InvalidHandler, match=r"no option 'priorty'\. Did you mean 'priority'"):

        @job(priorty=7)  # type: ignore[call-overload, untyped-decorator] # wrong, to be refused
        def post() -> None: ...


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[("kind", kind) for kind in ("x" * 201, 7)],
        *[("priority", priority) for priority in (101, -101, "high", 1.5)],
        *[("max_attempts", attempts) for attempts in (0, -1, "5", 1.5)],
        *[("timeout", timeout) for timeout in (-1, 0, "60", timedelta(seconds=-1))],
        *[("retry", retry) for retry in (10, timedelta(seconds=10))],
    ],
    ids=repr,
)
def test_a_bad_option_is_refused_by_its_name(option: str, value: Any) -> None:
    with pytest.raises(InvalidHandler, match=option):

        @job(**{option: value})
        def post() -> None: ...


def test_one_class_serves_several_kinds() -> None:
    english, german = register(Greeter("greet.en")), register(Greeter("greet.de", "Hallo"))

    assert registry.get("greet.en") is english
    assert registry.get("greet.de") is german
    assert not registry.clashes


def test_a_handler_without_a_kind_is_refused() -> None:
    class Nameless(JobHandler):
        pass

    with pytest.raises(InvalidHandler, match="kind must be a string"):
        register(Nameless())


def test_a_class_is_refused_where_an_instance_belongs() -> None:
    class Hello(JobHandler):
        kind = "greet.hello"

    with pytest.raises(InvalidHandler, match="instance"):
        register(Hello)  # type: ignore[type-var] # wrong, to be refused


def test_the_newest_handler_of_a_kind_wins() -> None:
    register(Greeter("greet"))
    newest = register(Greeter("greet"))

    assert registry.get("greet") is newest


def test_a_clash_is_recorded_with_both_places() -> None:
    older = register(Greeter("greet"))
    newer = register(Greeter("greet"))

    assert places_of_clashes("greet") == [(older.place, newer.place)]
    assert older.place.startswith(f"{__file__}:")
    assert int(newer.place.rpartition(":")[2]) == int(older.place.rpartition(":")[2]) + 1


def test_a_clash_of_decorated_functions_is_recorded_with_their_own_places() -> None:
    @job(kind="post")
    @transaction.atomic
    def post() -> None: ...

    @job(kind="post")
    @transaction.atomic
    def send() -> None: ...

    ((older, newer),) = places_of_clashes("post")
    assert older.startswith(f"{__file__}:")
    assert newer.startswith(f"{__file__}:")


def test_a_module_that_is_loaded_twice_does_not_clash_with_itself() -> None:
    for _ in range(2):
        register(Greeter("greet"))

    assert not registry.clashes


def test_what_is_registered_in_isolation_is_forgotten() -> None:
    with registry.isolated():
        register(Greeter("greet"))
        register(Greeter("greet"))

    assert "greet" not in registry.kinds()
    assert not registry.clashes


def test_a_jobs_module_that_fails_to_import_is_kept_for_the_check(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "broken_app").mkdir()
    (tmp_path / "broken_app" / "__init__.py").touch()
    (tmp_path / "broken_app" / "jobs.py").write_text("import nowhere_to_be_found")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "import_failures", {})

    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "broken_app"]

    assert list(registry.import_failures) == ["broken_app.jobs"]
    assert "nowhere_to_be_found" in str(registry.import_failures["broken_app.jobs"])
    assert "app.noop" in registry.kinds()


@pytest.mark.parametrize("limit", [0, -1, 1.5, True])
def test_a_limit_per_process_must_be_a_whole_number_from_1(limit: Any) -> None:
    with pytest.raises(InvalidHandler, match=r"max_concurrent_per_process of tests\.subject"):

        @job(kind="tests.subject", max_concurrent_per_process=limit)
        def subject() -> None:
            pass
