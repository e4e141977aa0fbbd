"""Keys: at most one unfinished job with a dedupe key, at most one ever with an idempotency key."""

from datetime import timedelta

import pytest

from forge_jobs import db
from forge_jobs.exceptions import KeyUnavailable
from forge_jobs.handlers.handler import JobOptions
from forge_jobs.models import Job, State
from forge_jobs.states import TERMINAL, UNFINISHED
from tests.app.jobs import effect, noop
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import columns, rolled_back, stored_job

pytestmark = pytest.mark.django_db

KEYS: list[JobOptions] = [{"dedupe_key": "nightly"}, {"idempotency_key": "nightly"}]
either_key = pytest.mark.parametrize("key", KEYS, ids=lambda key: next(iter(key)))


def job_in(state: State, **key: str) -> Job:
    process = process_named("here") if state is State.RUNNING else None
    return stored_job(state=state, process=process, **key)


@either_key
def test_the_second_enqueue_with_a_key_returns_the_first_job(key: JobOptions) -> None:
    first = effect.using(**key).enqueue(number=1)
    second = effect.using(**key).enqueue(number=2)

    assert columns(second) == columns(first) == columns(Job.objects.get())
    assert (first.was_deduplicated, second.was_deduplicated) == (False, True)


@either_key
def test_a_key_counts_across_queues_kinds_and_moments(key: JobOptions) -> None:
    here: JobOptions = {**key, "queue": "images", "priority": 5}
    elsewhere: JobOptions = {**key, "queue": "other", "delay": timedelta(days=1)}

    assert effect.using(**here).enqueue(number=1).pk == noop.using(**elsewhere).enqueue().pk


def test_keys_are_told_apart_to_the_letter() -> None:
    noop.using(dedupe_key="nightly", idempotency_key="nightly").enqueue()

    assert not noop.using(dedupe_key="Nightly").enqueue().was_deduplicated
    assert not noop.using(idempotency_key="nightly ").enqueue().was_deduplicated


def test_jobs_without_keys_are_never_deduplicated() -> None:
    assert noop.enqueue().pk != noop.enqueue().pk


@pytest.mark.parametrize("state", UNFINISHED)
def test_a_dedupe_key_is_held_by_a_job_that_is_unfinished(state: State) -> None:
    held = job_in(state, dedupe_key="nightly")

    assert noop.using(dedupe_key="nightly").enqueue().pk == held.pk


@pytest.mark.parametrize("state", TERMINAL)
def test_a_dedupe_key_is_free_again_when_its_job_has_finished(state: State) -> None:
    finished = job_in(state, dedupe_key="nightly")
    fresh = noop.using(dedupe_key="nightly").enqueue()

    assert fresh.pk != finished.pk
    assert not fresh.was_deduplicated


@pytest.mark.parametrize("state", UNFINISHED + TERMINAL)
def test_an_idempotency_key_is_held_whatever_became_of_its_job(state: State) -> None:
    held = job_in(state, idempotency_key="nightly")

    assert noop.using(idempotency_key="nightly").enqueue().pk == held.pk


def test_an_idempotency_key_is_free_when_its_job_is_deleted() -> None:
    job_in(State.SUCCEEDED, idempotency_key="nightly").delete()

    assert not noop.using(idempotency_key="nightly").enqueue().was_deduplicated


def test_dedupe_keys_and_idempotency_keys_are_different_things() -> None:
    noop.using(dedupe_key="nightly").enqueue()

    assert not noop.using(idempotency_key="nightly").enqueue().was_deduplicated


def test_a_job_may_have_both_keys_of_which_either_is_enough() -> None:
    first = noop.using(dedupe_key="a", idempotency_key="b").enqueue()

    assert noop.using(dedupe_key="a", idempotency_key="c").enqueue().pk == first.pk
    assert noop.using(dedupe_key="d", idempotency_key="b").enqueue().pk == first.pk
    assert noop.using(dedupe_key="d", idempotency_key="c").enqueue().pk != first.pk


@either_key
def test_a_key_that_was_rolled_back_is_free(key: JobOptions) -> None:
    with rolled_back():
        noop.using(**key).enqueue()

    assert not noop.using(**key).enqueue().was_deduplicated


@pytest.mark.parametrize(
    "key",
    ["k" * 200, "\N{DUCK}" * 200, '"quoted" \\ %s', "[1]"],
    ids=["long", "ducks", "quotes", "brackets"],
)
def test_a_key_is_any_text_of_up_to_200_characters(key: str) -> None:
    first = noop.using(dedupe_key=key, idempotency_key=key).enqueue()

    assert noop.using(dedupe_key=key).enqueue().pk == first.pk
    assert noop.using(idempotency_key=key).enqueue().pk == first.pk


@either_key
def test_a_key_whose_job_can_not_be_seen_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, key: JobOptions
) -> None:
    noop.using(**key).enqueue()
    monkeypatch.setattr(db.twin(), "find", lambda cursor, rows: [])

    with pytest.raises(KeyUnavailable, match="'nightly'") as refusal:
        noop.using(**key).enqueue()

    assert refusal.value.field == next(iter(key))


def test_a_duplicate_of_a_job_for_later_does_not_hurry_it() -> None:
    first = noop.using(dedupe_key="nightly", run_at=NOON + timedelta(days=36_500)).enqueue()
    noop.using(dedupe_key="nightly").enqueue()

    assert columns(Job.objects.get()) == columns(first)
