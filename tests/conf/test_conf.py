"""The settings: read once, every fault named, and in force again as soon as they change."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from forge_jobs.backoff import Exponential, Fixed
from forge_jobs.conf import Router, conf
from forge_jobs.conf import Settings as JobSettings


def route_by_length(kind: str) -> str | None:
    return "other" if len(kind) > 20 else None


def router_of(value: object) -> Router:
    return JobSettings.read({"ROUTER": value}).router


def test_a_project_need_not_say_anything(settings: Settings) -> None:
    settings.FORGE_JOBS = {}  # which is told of; a deletion is not
    del settings.FORGE_JOBS
    conf.cache_clear()  # Django tells nobody of a setting that is deleted

    assert conf() == JobSettings()
    assert list(conf().queues) == ["default"]


def test_by_default_a_job_has_five_attempts_and_waits_exponentially() -> None:
    assert (JobSettings().max_attempts, JobSettings().retry_of("default")) == (5, Exponential())


def test_settings_are_read_once() -> None:
    assert conf() is conf()


def test_changed_settings_are_read_again(settings: Settings) -> None:
    settings.FORGE_JOBS = {"THREADS": 2}
    assert conf().threads == 2

    settings.FORGE_JOBS = {"THREADS": 3}
    assert conf().threads == 3


def test_settings_can_not_be_changed_in_passing() -> None:
    with pytest.raises(AttributeError):
        conf().threads = 2  # type: ignore[misc] # wrong, to be refused

    with pytest.raises(TypeError):
        conf().queues["another"] = conf().queues["default"]  # type: ignore[index] # wrong, to be refused


@pytest.mark.parametrize("value", [30, 30.0, timedelta(seconds=30)])
def test_a_duration_is_a_timedelta_or_a_number_of_seconds(value: timedelta | float) -> None:
    assert JobSettings.read({"SHUTDOWN_TIMEOUT": value}).shutdown_timeout == timedelta(seconds=30)


def test_attempts_may_be_unlimited() -> None:
    assert JobSettings.read({"MAX_ATTEMPTS": None}).max_attempts is None


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("MAX_ATTEMPT", "MAX_ATTEMPTS"), ("queues", "QUEUES"), ("POLL_INTERVALL", "POLL_INTERVAL")],
)
def test_an_unknown_setting_is_refused_with_the_nearest_name(given: str, nearest: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"'{given}'. Did you mean '{nearest}'"):
        JobSettings.read({given: 1})


def test_an_unknown_setting_like_no_other_is_refused_with_all_names() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"no option 'XYZ'\. It knows DATABASE, QUEUES"):
        JobSettings.read({"XYZ": 1})


def test_an_unknown_option_of_a_queue_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=r'\["mail"\].*\'retri\'.*mean \'retry\''):
        JobSettings.read({"QUEUES": {"mail": {"retri": Fixed()}}})


@pytest.mark.parametrize("given", [None, 1, "", ["QUEUES"]], ids=repr)
def test_settings_that_are_no_dictionary_are_refused(given: object) -> None:
    with pytest.raises(ImproperlyConfigured, match="FORGE_JOBS must be a dictionary"):
        JobSettings.read(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("QUEUES", queues) for queues in ({}, [], None, ["default"], "default", {"default": 1})],
        *[("QUEUES", {name: {}}) for name in ("", "a,b", "x" * 101, 1)],
        *[("ROUTER", router) for router in (None, 1, ["default"], "no.such.router", "nowhere")],
        ("ROUTER", {5: {}}),
        ("ROUTER", {"app.": {}}),
        ("ROUTER", {"app.": ""}),
        *[("SCHEDULES", {name: {"kind": "app.noop"}}) for name in (5, None)],
        *[("RETRY", retry) for retry in (None, 10, timedelta(seconds=10))],
        *[("MAX_ATTEMPTS", number) for number in (0, -1, 1.5, "5", True, 2**31)],
        *[("MAX_PAYLOAD_BYTES", number) for number in (0, None, "1 MB")],
        *[("THREADS", number) for number in (0, None, 1.5, "8", 1_001)],
        *[("ASYNC_CONCURRENCY", number) for number in (0, None, 1.5, "8", 2_001)],
        *[("POLL_INTERVAL", duration) for duration in (-1, None, "1 s", float("nan"))],
        *[("SHUTDOWN_TIMEOUT", duration) for duration in (timedelta(days=-1), None, True)],
        *[("DATABASE", alias) for alias in (None, 1)],
    ],
    ids=repr,
)
def test_a_bad_value_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf'FORGE_JOBS\["{name}"\]'):
        JobSettings.read({name: value})


def test_a_bad_policy_of_a_queue_is_refused_by_its_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=r'FORGE_JOBS\["QUEUES"\]\["mail"\].*retry'):
        JobSettings.read({"QUEUES": {"mail": {"retry": 10}}})


def test_a_bad_value_is_refused_whenever_it_is_asked_for(settings: Settings) -> None:
    settings.FORGE_JOBS = {"THREADS": 0}

    for _ in range(2):
        with pytest.raises(ImproperlyConfigured):
            conf()


def test_a_queue_may_have_a_policy_of_its_own() -> None:
    policy = Fixed(delay=timedelta(seconds=1))
    read = JobSettings.read({"QUEUES": {"default": {}, "mail": {"retry": policy}}})

    assert (read.retry_of("mail"), read.retry_of("default")) == (policy, Exponential())


def test_a_queue_that_is_not_declared_has_the_general_policy() -> None:
    assert JobSettings.read({"RETRY": Fixed()}).retry_of("gone") == Fixed()


@pytest.mark.parametrize(
    "value", [route_by_length, f"{__name__}.route_by_length"], ids=["callable", "path"]
)
def test_a_router_is_a_callable_or_its_dotted_path(value: object) -> None:
    route = router_of(value)

    assert (route("gallery.make_thumbnail"), route("gallery.draw")) == ("other", None)


def test_a_router_may_map_prefixes_of_kinds_of_which_the_longest_counts() -> None:
    route = router_of({"gallery.": "images", "gallery.publish": "publish", "": "default"})

    assert route("gallery.draw") == "images"
    assert route("gallery.publish_picture") == "publish"
    assert route("mail.send") == "default"


def test_a_router_that_maps_no_prefix_of_a_kind_leaves_it_alone() -> None:
    assert router_of({"gallery.": "images"})("mail.send") is None


def test_without_a_router_every_kind_is_left_alone() -> None:
    assert JobSettings().router("gallery.draw") is None


def test_names_whose_values_are_hidden_go_by_no_case(settings: Settings) -> None:
    settings.FORGE_JOBS = {"REDACT": ["Password", "TOKEN"]}

    assert conf().redact == {"password", "token"}


@pytest.mark.parametrize("given", ["password", {"a": 1}.items(), [""], [7], 7], ids=repr)
def test_names_that_are_none_are_refused(given: object) -> None:
    with pytest.raises(ImproperlyConfigured, match=r'FORGE_JOBS\["REDACT"\] must be names'):
        JobSettings.read({"REDACT": given})


def test_a_number_in_quotes_is_refused_with_what_to_write() -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"not '8', which is a text: write 8, or int\(\)"
    ):
        JobSettings.read({"THREADS": "8"})
