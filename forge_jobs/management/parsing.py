"""Reads the words of a command line; what can't be read is refused with what to write instead."""

import json
from argparse import ArgumentError, ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter

from forge_jobs import durations, jsontext
from forge_jobs.conf.bounds import LEAST_TOKENS, MOST_TOKENS
from forge_jobs.states import State
from forge_jobs.wording import listed, meant

LARGEST_ID: Final = 2**63 - 1


class VerbParser(CommandParser):
    """Lets ids and JSON stand after options, too, where argparse by itself does not find them."""

    is_mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.is_mixing:
            return super().parse_known_args(args, namespace)
        self.is_mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.is_mixing = False


@contextmanager
def verbs_of(
    parser: ArgumentParser, command: BaseCommand, *, add_usual: Callable[[ArgumentParser], None]
) -> Iterator[Callable[[str, Callable[..., None], str], ArgumentParser]]:
    """What adds verbs to one that is a verb itself: by name, what acts, and a sentence of help."""
    if isinstance(parser, VerbParser):
        parser.is_mixing = True  # what comes after the verb is the verb's to mix
    verbs = parser.add_subparsers(
        title="verbs", metavar="VERB", required=True, parser_class=VerbParser
    )

    def verb(name: str, act: Callable[..., None], text: str) -> ArgumentParser:
        added: ArgumentParser = verbs.add_parser(
            name, help=text, description=text, formatter_class=DjangoHelpFormatter
        )
        added.set_defaults(act=partial(act, command))
        add_usual(added)
        return added

    yield verb
    verbs.choices = Names(verbs.choices, called="verb")


class Names(dict[str, VerbParser]):
    """The verbs of a parser; of one that is not there, it is said which may be meant."""

    def __init__(self, verbs: Mapping[str, VerbParser], *, called: str) -> None:
        super().__init__(verbs)
        self.called = called

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        raise ArgumentError(
            None, f"there is no {self.called} {name!r}, only {listed(self)}.{meant(name, self)}"
        )


def add_name(parser: ArgumentParser, what: str) -> None:
    """Of what a verb steers; without it, the verb shows all."""
    told = f"the {what} to steer; without it, all are shown"
    parser.add_argument("name", nargs="?", type=words, metavar="NAME", help=told)


def duration(text: str) -> timedelta:
    """`30s`, `15m`, `12h`, `7d`, or a number of seconds."""
    try:
        return durations.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def interval(text: str) -> timedelta:
    """A duration that is longer than nothing."""
    if not (given := duration(text)):
        raise ArgumentTypeError("must be longer than 0 seconds.")
    return given


def moment(text: str) -> datetime:
    """An ISO date and time that says its offset."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or given.utcoffset() is None:
        wrong = "is no date and time" if given is None else "does not say its offset from UTC"
        raise ArgumentTypeError(
            f"{text!r} {wrong}; write 2026-03-02T12:00:00+01:00, or 2026-03-02T11:00:00Z."
        )
    return given


def payload(text: str) -> Any:
    """Whatever JSON value; `enqueue()` says what it may be."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos :]
        place = f"before {rest[:20]!r}" if rest else "at its end"
        raise ArgumentTypeError(
            f"is not valid: {error.msg} at line {error.lineno}, column {error.colno}, {place}."
        ) from None
    except RecursionError:
        raise ArgumentTypeError("is nested too deeply.") from None
    except ValueError as error:
        raise ArgumentTypeError(f"can't be read: {error}.") from None


def job_id(text: str) -> int:
    """The number that `enqueue` prints and the log has after a `#`."""
    try:
        given = int(text)
    except ValueError:
        given = 0
    if not 0 < given <= LARGEST_ID:
        raise ArgumentTypeError(f"{text!r} is no job's id; ids are numbers from 1 on.")
    return given


def batch_id(text: str) -> int:
    """The number that `jobs batch` lists."""
    if not text.isdecimal() or not 0 < int(text[:20]) <= LARGEST_ID:
        raise ArgumentTypeError(f"{text!r} is no batch's id; ids are numbers from 1 on.")
    return int(text)


def count(most: int) -> Callable[[str], int]:
    """A whole number from 1 on."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not 0 < len(text) < 20 or not 1 <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is no whole number from 1 to {most:,}.")
        return int(text)

    return parse


def amount(text: str) -> float:
    """A number of tokens."""
    try:
        given = float(text)
    except ValueError:
        given = 0.0
    if not LEAST_TOKENS <= given < MOST_TOKENS:
        raise ArgumentTypeError(
            f"{text!r} is no number from {LEAST_TOKENS:.9f} up to {MOST_TOKENS:,.0f}."
        )
    return given


def words(text: str) -> str:
    """What the database can look for; nothing at all would mean everything."""
    if not text:
        raise ArgumentTypeError("is empty; leave it out if you don't want it.")
    if not jsontext.is_storable(text):
        raise ArgumentTypeError(f"is no valid text: {text!r}.")
    return text


def kind(text: str) -> str:
    """A kind, or a prefix of kinds with a `*`."""
    if words(text) == "*":
        raise ArgumentTypeError("* would be every kind; leave it out if that is what you want.")
    return text


def states(*allowed: State) -> Callable[[str], list[State]]:
    """States, separated by commas; only these."""

    def parse(text: str) -> list[State]:
        names = [name.strip() for name in text.split(",")]
        for name in names:
            if name not in allowed:
                raise ArgumentTypeError(f"{name!r} is none of {', '.join(allowed)}.")
        return [State(name) for name in names]

    return parse
