"""Arguments by their annotations: what comes back is what was given, and the rest is refused."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, NotRequired, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pydantic
import pytest
from django.db.models import IntegerChoices, TextChoices
from django.utils.safestring import mark_safe

from forge_jobs import JobHandler, job, register
from forge_jobs.apps import read_annotations
from forge_jobs.enqueueing.draft import Draft
from forge_jobs.exceptions import InvalidHandler, InvalidPayload, UnreadablePayload
from forge_jobs.handlers.function import FunctionHandler
from tests.app.models import Effect

if TYPE_CHECKING:
    pass

KEY = UUID("6f1b7d4e-3a52-4c8f-9d0b-2e7a51c3f8d6")
DAY = date(2026, 3, 2)
DAY_OF_OLD = datetime(1930, 1, 1, tzinfo=ZoneInfo("Europe/Amsterdam"))
"""Its offset from UTC is 19 minutes and 32 seconds."""

SECOND_HALF_PAST_TWO = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))

MOMENT = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


class Colour(Enum):
    RED = "red"


class Grade(Enum):
    GOOD = 1
    BAD = 2


class Rights(Flag):
    READ = 1
    WRITE = 2


class Level(IntEnum):
    HIGH = 3


class Size(TextChoices):
    LARGE = "l", "Large"


class Stars(IntegerChoices):
    FIVE = 5, "Five"


@dataclass
class Line:
    price: Decimal
    day: date | None = None


@dataclass(frozen=True)
class Basket:
    lines: list[Line]
    note: dict[str, Any] = field(default_factory=dict)


@dataclass
class Discounted(Line):
    off: int = 0


@dataclass
class Graded:
    grade: Grade


class Address(TypedDict):
    street: str
    since: NotRequired[date]


class Place(NamedTuple):
    x: int
    when: date


class Order(msgspec.Struct, rename="camel"):
    placed_at: datetime


class Customer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    key: UUID
    e_mail: str = pydantic.Field(alias="eMail")


class Child(Customer):
    age: int = 1


class Square(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    side: int

    @pydantic.computed_field  # type: ignore[prop-decorator] # as pydantic has it
    @property
    def area(self) -> int:
        return self.side**2


class Unequal:
    """What can't be compared, as it doesn't say what is equal."""


class Free(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    moment: datetime
    one: Annotated[
        Unequal,
        pydantic.PlainSerializer(lambda one: "one"),
        pydantic.PlainValidator(lambda given: Unequal()),
    ] = pydantic.Field(default_factory=Unequal)


class Login(pydantic.BaseModel):
    names: list[str]
    pin: pydantic.SecretStr


class Growing(pydantic.BaseModel):
    number: Annotated[int, pydantic.AfterValidator(lambda number: number + 1)]


class Dated(pydantic.BaseModel):
    day: datetime
    nothing: Annotated[Decimal, pydantic.Field(allow_inf_nan=True)] = Decimal("NaN")


class OthersDate(date):
    """As pendulum, and freezegun in tests, have one of their own."""


class OthersDatetime(datetime):
    pass


class OthersText(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self


class Raw(pydantic.BaseModel):
    data: bytes


class Mail(msgspec.Struct, tag=True):
    to: str


class Letter(msgspec.Struct, tag_field="kind", tag="letter"):
    street: str


class Parcel(msgspec.Struct, tag_field="kind", tag="parcel"):
    kilos: int


def handler(annotation: Any) -> FunctionHandler[..., Any]:
    """One that takes a `value`, and returns it."""

    def keep(value: Any) -> Any:
        return value

    keep.__annotations__["value"] = annotation
    return job(kind="tests.keep", validate=True)(keep)


def stored(annotation: Any, value: Any) -> Any:
    """Its JSON, through a text as in the database."""
    return json.loads(Draft.of(handler(annotation)).row({"value": value}).payload)["value"]


def read(annotation: Any, value: Any) -> Any:
    return handler(annotation).run(None, {"value": value})  # type: ignore[arg-type] # no context is looked at


CUSTOMER = Customer(key=KEY, eMail="ada@example.com")


@pytest.mark.parametrize(
    ("annotation", "value", "as_json"),
    [
        (UUID, KEY, str(KEY)),
        (date, DAY, "2026-03-02"),
        (datetime, MOMENT, "2026-03-02T12:00:00.123456Z"),
        (datetime, MOMENT.replace(tzinfo=None), "2026-03-02T12:00:00.123456"),
        (datetime, MOMENT.astimezone(timezone(timedelta(hours=2))), ...),
        (time, time(12, 30), "12:30:00"),
        (time, time(12, 30, tzinfo=UTC), "12:30:00Z"),
        (timedelta, timedelta(days=-1, microseconds=1), ...),
        (Decimal, Decimal("1.10"), "1.10"),
        (bytes, b"\0\xff", "AP8="),
        (Colour, Colour.RED, "red"),
        (Level, Level.HIGH, 3),
        (Grade, Grade.BAD, 2),
        (Grade | None, Grade.BAD, 2),
        (list[Grade], [Grade.BAD, Grade.GOOD], [2, 1]),
        (set[Grade], {Grade.BAD}, [2]),
        (tuple[Grade, Line], (Grade.BAD, Line(Decimal(1))), ...),
        (dict[str, dict[Grade, Grade]], {"a": {Grade.BAD: Grade.GOOD}}, {"a": {"2": 1}}),
        (Graded, Graded(Grade.BAD), {"grade": 2}),
        (Rights, Rights.READ | Rights.WRITE, 3),
        (Size, Size.LARGE, "l"),
        (Stars, Stars.FIVE, 5),
        (Line, Line(Decimal(1), DAY), {"price": "1", "day": "2026-03-02"}),
        (Basket, Basket([Line(Decimal(1))], {"a": [1]}), ...),
        (Address, {"street": "A", "since": DAY}, {"street": "A", "since": "2026-03-02"}),
        (Address, {"street": "A"}, {"street": "A"}),
        (Place, Place(1, DAY), [1, "2026-03-02"]),
        (Order, Order(MOMENT), {"placedAt": "2026-03-02T12:00:00.123456Z"}),
        (Customer, CUSTOMER, {"key": str(KEY), "eMail": "ada@example.com"}),
        (list[Customer] | None, [CUSTOMER], [{"key": str(KEY), "eMail": "ada@example.com"}]),
        (Square, Square(side=3), {"side": 3}),
        (Mail, Mail("A"), {"type": "Mail", "to": "A"}),
        (Letter | Parcel, Parcel(2), {"kind": "parcel", "kilos": 2}),
        (Literal["fast", "slow"], "fast", "fast"),
        (UUID | None, None, None),
        (int | date | None, DAY, "2026-03-02"),
        (list[date], [DAY], ["2026-03-02"]),
        (Sequence[date], [DAY], ["2026-03-02"]),
        (tuple[int, date], (1, DAY), [1, "2026-03-02"]),
        (set[UUID], {KEY}, [str(KEY)]),
        (dict[UUID, list[date]], {KEY: [DAY]}, {str(KEY): ["2026-03-02"]}),
        (Mapping[int, Level], {1: Level.HIGH}, {"1": 3}),
        (Annotated[int, msgspec.Meta(ge=1)], 1, 1),
        ("list[Line]", [Line(Decimal(1))], [{"price": "1", "day": None}]),
        (Any, [1, {"a": None}], [1, {"a": None}]),
    ],
)
def test_what_was_given_comes_back(annotation: Any, value: Any, as_json: Any) -> None:
    kept = stored(annotation, value)
    came = read(annotation, kept)

    assert as_json in (..., kept)
    assert came == value
    assert type(came) is type(value)
    assert stored(annotation, kept) == kept


@pytest.mark.parametrize(
    ("annotation", "value", "words"),
    [
        (UUID, "x", "at value, invalid UUID. It takes uuid.UUID"),
        (UUID, 5, "at value, expected `uuid`, got `int`"),
        (str, KEY, "at value, expected `str`, got `uuid`"),
        (int, "5", "at value, expected `int`, got `str`"),
        (int, True, "at value, expected `int`, got `bool`"),
        (int, None, "at value, expected `int`, got `null`"),
        (int, Effect(pk=5), "at value, expected `int`, got `Effect`"),
        (date, MOMENT, "at value, expected `date`, got `datetime`"),
        (datetime, DAY, "at value, expected `datetime`, got `date`"),
        (Colour, "blue", "at value, invalid enum value 'blue'"),
        (Size, "m", "at value, invalid enum value 'm'"),
        (Grade, 3, "at value, invalid enum value 3"),
        (Grade, Level.HIGH, "at value, invalid enum value 3"),
        (Grade, Rights.READ, "at value, expected `int`, got `Rights`"),
        (int, Grade.GOOD, "at value, expected `int`, got `Grade`"),
        (dict[str, Grade], {"a": Rights.READ}, "at value.a, expected `int`, got `Rights`"),
        (Line, {"price": Grade.GOOD}, "at value.price, expected `decimal`, got `Grade`"),
        (dict[tuple[int, int], int], {(1, Grade.GOOD): 1}, "at value, expected `int`"),
        (datetime, DAY_OF_OLD, "would come back as datetime.datetime(1930, 1, 1, 0, 0, tzinfo"),
        (list[datetime], [DAY_OF_OLD], "at value[0], datetime.datetime(1930, 1, 1, 0, 0, tzinfo"),
        (Login, Login(names=[], pin="abc"), "at value.pin, SecretStr('**********')"),  # type: ignore[arg-type] # pydantic converts it
        (Login, {"names": ["a"], "pin": "abc"}, "by its model's own configuration"),
        (Growing, Growing(number=1), "at value.number, 2 would come back as 3"),
        (Raw, Raw(data=b"\xff"), "is or holds what JSON has no form for"),
        (Letter | Parcel, {"kind": "parcel", "kilo": 2}, "missing required field `kilos`"),
        (Letter | Parcel, {"kind": "parcel", "kilos": 2, "x": 1}, "at value, 'x' is unexpected"),
        (Literal["fast", "slow"], "fat", "It takes Literal['fast', 'slow']"),
        (Annotated[int, msgspec.Meta(ge=1)], 0, "expected `int` >= 1"),
        (Line, {}, "at value, object missing required field `price`"),
        (Line, Discounted(Decimal(1)), "at value, expected `object`, got `Discounted`"),
        (Line, Line("x"), "at value.price, invalid decimal string"),  # type: ignore[arg-type] # wrong, to be refused
        (Basket, {"lines": [{"price": 1}, {"price": "x"}]}, "at value.lines[1].price, invalid"),
        (Basket, {"lines": [], "liens": []}, "at value, 'liens' is unexpected; there are lines"),
        (Basket, Basket([{"price": 1, "dya": 1}]), "at value.lines[0], 'dya' is unexpected"),  # type: ignore[list-item] # wrong, to be refused
        (Address, {"street": "A", "sinse": DAY}, "at value, 'sinse' is unexpected"),
        (dict[str, list[Line]], {"a": [{"price": 1, "x": 1}]}, "at value.a[0], 'x' is unexpected"),
        (dict[int, str], {"x": "a"}, "at value, expected `int`, got `str`, as a key"),
        (Customer, {"key": "x", "eMail": ""}, "at value.key, input should be a valid UUID"),
        (Customer, {"key": str(KEY), "eMail": "\ud800"}, "at value, 'utf-8' codec can't encode"),
        (Customer, Child(key=KEY, eMail=""), "at value, expected `Customer`, got `Child`"),
        (list[Customer], [5], "at value[0], input should be an object"),
        (Basket, Basket([], {"a": {"b": KEY}}), "at value.note.a.b, UUID("),
        (dict[str, Any], {"a": Colour.RED}, "at value.a, <Colour.RED: 'red'> would come back as"),
        (dict[str, Any], {"a": object()}, "at value, {'a': <object"),
        (dict[Any, int], {1: 1}, "at value, 1 would come back as '1'"),
        (dict[int | str, int], {1: 1, "1": 1}, "at value, some of its keys are the same in JSON"),
        (dict[str, Decimal], {"a": "1", "b": "x"}, "at value.b, invalid decimal string"),
        (dict[UUID, list[Line]], {KEY: [{}]}, f"at value[{KEY!r}][0], object missing"),
        (dict[date, dict[str, int]], {DAY: {"a": 1, "b c": "x"}}, f"at value[{DAY!r}]['b c'], ex"),
        (list[dict[str, Line]], [{}, {"a": Line("x")}], "at value[1].a.price, invalid decimal"),  # type: ignore[arg-type] # wrong, to be refused
        (float, float("nan"), "payload.value is nan"),
        (str, "a\0", "payload.value contains the character NUL"),
        (Any, KEY, "payload.value is not JSON"),
    ],
)
def test_what_is_refused_is_named(annotation: Any, value: Any, words: str) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        stored(annotation, value)

    assert words in str(refusal.value)
    assert refusal.value.field == "payload"


@pytest.mark.parametrize(
    ("annotation", "given", "came"),
    [
        (datetime, OthersDatetime(2026, 3, 2, 12, 0, 0, 123456, UTC), MOMENT),
        (datetime | None, OthersDatetime(2026, 3, 2, fold=1), datetime(2026, 3, 2, fold=1)),  # noqa: DTZ001 - a moment on a wall
        (dict[date, list[datetime]], {OthersDate(2026, 3, 2): [MOMENT]}, {DAY: [MOMENT]}),
        (Line, Line(Decimal(1), OthersDate(2026, 3, 2)), Line(Decimal(1), DAY)),
        (date | None, OthersDate(2026, 3, 2), DAY),
        (str, OthersText("<b>"), "<b>"),
        (list[str], [mark_safe("<b>")], ["<b>"]),
        (Address, {"street": mark_safe("A")}, {"street": "A"}),
        (dict[str, Any], {"a": [mark_safe("b")]}, {"a": ["b"]}),
    ],
    ids=repr,
)
def test_an_heir_of_what_the_annotation_says_comes_as_that(
    annotation: Any, given: Any, came: Any
) -> None:
    assert read(annotation, stored(annotation, given)) == came


def test_an_heir_of_a_datetime_is_no_date() -> None:
    with pytest.raises(InvalidPayload, match="at value, expected `date`, got `OthersDatetime`"):
        stored(date, OthersDatetime(2026, 3, 2))


def test_annotations_are_read_when_the_apps_are_and_not_by_the_clock_of_a_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep = handler("list[NamedLater] | None")
    monkeypatch.setitem(globals(), "NamedLater", datetime)
    read_annotations()
    monkeypatch.setitem(globals(), "NamedLater", OthersDatetime)

    assert keep.run(None, {"value": ["2026-03-02T12:00:00.123456Z"]}) == [MOMENT]  # type: ignore[arg-type] # no context is looked at


@pytest.mark.parametrize("annotation", [datetime, Dated])
def test_a_moment_that_a_clock_shows_twice_comes_back(annotation: Any) -> None:
    given = SECOND_HALF_PAST_TWO if annotation is datetime else Dated(day=SECOND_HALF_PAST_TWO)
    came = read(annotation, stored(annotation, given))

    moment = came if annotation is datetime else came.day
    assert moment.astimezone(UTC) == SECOND_HALF_PAST_TWO.astimezone(UTC)


def test_what_can_not_be_compared_is_left_to_its_model() -> None:
    kept = stored(Free, Free(moment=MOMENT))

    assert kept == {"moment": "2026-03-02T12:00:00.123456Z", "one": "one"}
    assert read(Free, kept).moment == MOMENT


@dataclass
class Tree:
    leaves: list[UUID]
    branches: "list[Tree]"


def test_a_type_may_be_made_of_itself() -> None:
    tree = Tree([KEY], [Tree([], [])])

    assert read(Tree, stored(Tree, tree)) == tree


def test_what_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(InvalidPayload, match="nested too deeply"):
        stored(list[Any], endless)


def test_a_tree_that_grows_into_itself_is_refused() -> None:
    as_objects = Tree([], [])
    as_objects.branches.append(as_objects)
    as_json: dict[str, Any] = {"leaves": []}
    as_json["branches"] = [as_json]

    for tree in (as_objects, as_json):
        with pytest.raises(InvalidPayload, match="nested too deeply"):
            stored(Tree, tree)


def test_defaults_and_what_is_not_given_stay_with_the_function() -> None:
    @job(kind="tests.keep", validate=True)
    def keep(day: date = DAY, *, mood: Any = Colour.RED) -> tuple[date, Any]:
        return day, mood

    assert keep.stored({}) == {}
    assert keep.run(None, {}) == (DAY, Colour.RED)  # type: ignore[arg-type] # no context is looked at


def test_any_other_names_have_the_annotation_of_theirs() -> None:
    @job(kind="tests.keep", validate=True)
    def keep(free, **days: date) -> Any:  # type: ignore[no-untyped-def] # that is what is tested
        return free, days

    kept = keep.stored({"free": [1], "monday": DAY})

    assert kept == {"free": [1], "monday": "2026-03-02"}
    assert keep.run(None, kept) == ([1], {"monday": DAY})  # type: ignore[arg-type] # no context is looked at
    with pytest.raises(InvalidPayload, match="at monday, expected `date`, got `int`"):
        keep.stored({"free": 1, "monday": 5})


def test_a_stored_payload_that_no_longer_fits_says_where() -> None:
    words = "The stored payload does not fit tests.keep: at value.price, invalid decimal string"
    with pytest.raises(UnreadablePayload, match=words):
        read(Line, {"price": "x"})
    with pytest.raises(UnreadablePayload, match=r"The stored payload .* 'value' is missing"):
        handler(Line).run(None, {})  # type: ignore[arg-type] # no context is looked at


def test_what_newer_code_has_stored_beside_is_passed_over() -> None:
    assert read(Line, {"price": "1", "tax": "0.19"}) == Line(Decimal(1))


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("OnlyForTypeCheckers", "OnlyForTypeCheckers: name 'OnlyForTypeCheckers' is not defined"),
        ("list[OnlyForTypeCheckers]", "import what it names where the module is run"),
        (Effect, "tests.app.models.Effect: JSON has no form for Effect; let it take what"),
        (Callable[[], int], "JSON has no form for Callable"),
        (list[complex], "JSON has no form for complex"),
        (UUID | str, "Type unions may not contain more than one str-like type"),
        (Final[int], "Final[int] is not valid as type argument"),
        (Line | Basket, "Type unions may not contain more than one dataclass"),
    ],
)
def test_an_annotation_that_can_not_be_used_is_named(annotation: Any, words: str) -> None:
    with pytest.raises(InvalidHandler) as refusal:
        _ = handler(annotation).annotated
    with pytest.raises(InvalidPayload) as refused:
        handler(annotation).stored({"value": 1})

    told = str(refusal.value)
    assert told.startswith("value of tests.keep can't be validated by its annotation, ")
    assert words in told
    assert refusal.value.field == "validate"
    assert str(refused.value) == told


def test_the_context_needs_no_annotation_that_is_there_at_run_time() -> None:
    def keep(ctx: Any, day: date) -> tuple[Any, date]:
        return ctx, day

    keep.__annotations__["ctx"] = "JobContext"
    subject = job(kind="tests.keep", validate=True, takes_context=True)(keep)

    assert subject.run("the context", {"day": "2026-03-02"}) == ("the context", DAY)  # type: ignore[arg-type] # any object will do


def test_only_functions_validate() -> None:
    class Keep(JobHandler):
        kind = "tests.keep"
        validate = True

    with pytest.raises(InvalidHandler, match="takes the annotations of a function"):
        register(Keep())


def test_validation_needs_msgspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge_jobs.handlers.options.find_spec", lambda name: None)

    with pytest.raises(InvalidHandler, match=r"install forge-jobs\[validation\]"):
        handler(int)
