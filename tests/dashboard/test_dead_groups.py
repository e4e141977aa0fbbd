"""Dead jobs by kind and error: what is one group, and which jobs its filter finds."""

from datetime import timedelta

import pytest

from forge_jobs.dashboard import dead_groups
from forge_jobs.dashboard.dead_groups import DeadGroup, DeadGroups
from forge_jobs.models import Job, State
from forge_jobs.operations.selection import Selection
from tests.conftest import NOON
from tests.rows import finished_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def dead(error: str, *, kind: str = "app.mail", **columns: object) -> Job:
    return finished_job(State.DEAD, kind=kind, last_error=error, **columns)


def groups(**narrowed: object) -> DeadGroups:
    selection = Selection(states=[State.DEAD], **narrowed)  # type: ignore[arg-type] # of several types
    queues = set(Job.objects.values_list("queue", flat=True))
    return DeadGroups.read(selection, queues=queues, dead=Job.objects.count(), now=NOON)


def told(found: DeadGroups) -> list[tuple[int, str, str]]:
    return [(group.count, group.kind, group.text) for group in found.shown]


def meant(group: DeadGroup) -> set[int]:
    """The ids of the jobs that the group's button is about."""
    selection = Selection(states=[State.DEAD], kind=group.kind, error_line=group.error)
    return set(selection.finished(now=NOON).values_list("pk", flat=True))


def test_jobs_of_one_kind_and_error_are_a_group_the_largest_first() -> None:
    for queue in ("default", "other"):
        dead("KeyError: 'a'", queue=queue)
    dead("KeyError: 'b'")
    dead("KeyError: 'a'", kind="app.print")
    finished_job(State.CANCELLED, last_error="KeyError: 'a'")

    found = told(groups())
    assert found[0] == (2, "app.mail", "KeyError: 'a'")
    assert sorted(found[1:]) == [
        (1, "app.mail", "KeyError: 'b'"),
        (1, "app.print", "KeyError: 'a'"),
    ]


def test_the_first_line_of_an_error_is_what_counts() -> None:
    dead("ValueError: bad\nline 1")
    dead("ValueError: bad\nline 2")

    (group,) = groups().shown
    assert (group.text, group.count) == ("ValueError: bad", 2)
    assert len(meant(group)) == 2


def test_an_error_with_a_number_in_it_is_one_group_from_some_texts_on() -> None:
    jobs = [dead(f"ValueError: order {number} is empty") for number in (105, 117, 120, 133)]
    dead("TypeError: order 105 is empty")

    first, second = groups().shown
    assert (first.text, first.count, first.texts) == ("ValueError: order …", 4, 4)
    assert meant(first) == {job.pk for job in jobs}
    assert second.text == "TypeError: order 105 is empty"


def test_a_group_means_no_job_whose_error_only_begins_like_it() -> None:
    one = dead("ValueError: bad")
    dead("ValueError: bad luck")

    group = next(group for group in groups().shown if group.text == "ValueError: bad")
    assert meant(group) == {one.pk}


def test_a_very_long_line_is_meant_by_its_beginning() -> None:
    jobs = {dead("E: " + "x" * 300 + end).pk for end in ("1", "2")}

    (group,) = groups().shown
    assert group.count == 2
    assert meant(group) == jobs


def test_a_star_that_is_the_error_s_own_stands_for_nothing() -> None:
    for text in ("bad syntax: *", "bad syntax: /"):
        dead(text)

    assert [len(meant(group)) for group in groups().shown] == [1, 1]


def test_errors_without_a_word_are_a_group_too() -> None:
    job = dead("")

    (group,) = groups().shown
    assert (group.text, group.error, group.count) == ("", "", 1)
    assert meant(group) == {job.pk}


def test_errors_of_one_class_mean_none_of_a_class_that_begins_like_it() -> None:
    jobs = {dead(f"Timeout: {number}").pk for number in range(4)}
    for text in ("Timeout", "Timeout after 4 s", "TimeoutExpired: 5", "", " 6", "\t7", ":8"):
        dead(text)

    found = groups().shown
    assert [group.count for group in found] == [4, *[1] * 7]
    assert meant(found[0]) == jobs
    assert all(len(meant(group)) == 1 for group in found[1:])


def test_the_filter_narrows_the_groups() -> None:
    dead("KeyError: 'a'", queue="other", finished_at=NOON - 5 * MINUTE)
    dead("KeyError: 'a'", kind="app.print", finished_at=NOON - MINUTE)

    assert [group.kind for group in groups(queue="other").shown] == ["app.mail"]
    assert [group.kind for group in groups(kind="app.p*").shown] == ["app.print"]
    assert [group.kind for group in groups(since=NOON - 2 * MINUTE).shown] == ["app.print"]


def test_only_the_last_dead_jobs_are_looked_through_and_only_the_largest_groups_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dead_groups, "LOOK", 3)
    monkeypatch.setattr(dead_groups, "SHOWN", 2)
    for minutes in range(5):
        dead("E", kind=f"app.k{minutes}", finished_at=NOON - minutes * MINUTE)

    found = groups()
    assert [group.kind for group in found.shown] == ["app.k0", "app.k1"]
    assert (found.more, found.looked_through) == (1, 3)
