"""What the page shows of a picture, be it as HTML or as JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

from forge_jobs.models import Job, State
from sample_project.gallery.models import Picture

LATER = "not yet"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that is done with a picture; without a job, `state` is empty."""

    name: str
    state: str
    label: str

    @classmethod
    def of(cls, name: str, job: Job | None, *, without: str) -> Self:
        if job is None:
            return cls(name=name, state="", label=without)
        label = str(State(job.state).label)
        if job.state == State.RETRYING:
            label = f"{label} {job.attempt}/{job.max_attempts or '∞'}"
        return cls(name=name, state=job.state, label=label)


@dataclass(frozen=True, kw_only=True)
class Card:
    id: int
    title: str
    image: str
    """Where the original is, once it is known to be a picture."""
    thumbnail: str
    colours: list[str]
    error: str
    publishable: bool
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, picture: Picture) -> Self:
        publishable = picture.is_publishable
        unpublished = "" if publishable else LATER
        jobs = (picture.draw_job, picture.thumbnail_job, picture.publish_job)
        return cls(
            id=picture.pk,
            title=picture.title,
            image=picture.image.url if picture.thumbnail else "",
            thumbnail=picture.thumbnail.url if picture.thumbnail else "",
            colours=picture.colours,
            error=next((job.last_error for job in jobs if job and job.state == State.DEAD), ""),
            publishable=publishable,
            steps=(
                Step.of("drawing", jobs[0], without="uploaded" if picture.image else LATER),
                Step.of("thumbnail", jobs[1], without="made" if picture.thumbnail else LATER),
                Step.of(
                    "publishing", jobs[2], without="done" if picture.published_at else unpublished
                ),
            ),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many pictures there are in one state; shown even if none, so that none jumps."""

    state: str
    label: str
    count: int


def cards(pictures: Iterable[Picture]) -> list[Card]:
    return [Card.of(picture) for picture in pictures]


def counts() -> list[Count]:
    """In the order in which pictures pass through the states."""
    found = Picture.objects.count_by_state()
    return [
        Count(state=state.value, label=str(state.label), count=found.get(state.value, 0))
        for state in State
        if state is not State.CANCELLED or state in found
    ]
