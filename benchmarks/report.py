"""Tables of medians, and the targets of the project marked as met or missed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

OURS = "forge_jobs"


@dataclass
class Measured:
    """One quantity, measured once a round for each contestant; rounds are in the same order."""

    title: str
    unit: str
    targets: Sequence["Ratio | Multiple | Limit | Part"] = ()
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, value: float) -> None:
        self.values[name].append(value)

    def ratios(self, against: str) -> list[float]:
        """How many times ours is theirs, round by round: what slows a round slows both."""
        pairs = zip(self.values[OURS], self.values[against], strict=False)
        return [ours / theirs for ours, theirs in pairs]

    def verdicts(self) -> Iterator["Verdict"]:
        for target in self.targets:
            yield from target.judge(self)

    def as_dict(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "unit": self.unit,
            "values": dict(self.values),
            "medians": {name: median(values) for name, values in self.values.items()},
            "targets": [vars(verdict) for verdict in self.verdicts()],
        }


@dataclass(frozen=True)
class Verdict:
    """`met` is None for what is only told for comparison."""

    text: str
    met: bool | None

    def __str__(self) -> str:
        return f"{ {True: 'met', False: 'MISSED', None: ''}[self.met]:8}{self.text}"


@dataclass(frozen=True)
class Ratio:
    """Ours is to be at least so many times `against`."""

    against: str
    at_least: float

    def judge(self, measured: Measured) -> Iterator[Verdict]:
        if {OURS, self.against} <= measured.values.keys():
            ratio = median(measured.ratios(self.against))
            text = f"{ratio:.2f}x {self.against}, to be at least {self.at_least:.2f}x"
            yield Verdict(f"{measured.title}: {text}", ratio >= self.at_least)


@dataclass(frozen=True)
class Multiple:
    """Ours is to be at most so many times `against`: a limit that goes with the machine."""

    against: str
    at_most: float

    def judge(self, measured: Measured) -> Iterator[Verdict]:
        if {OURS, self.against} <= measured.values.keys():
            ratio = median(measured.ratios(self.against))
            text = f"{ratio:.2f}x {self.against}, to be at most {self.at_most:.2f}x"
            yield Verdict(f"{measured.title}: {text}", ratio <= self.at_most)


@dataclass(frozen=True)
class Part:
    """Ours is to keep such a part of what ours was in `whole`."""

    whole: Measured
    at_least: float

    def judge(self, measured: Measured) -> Iterator[Verdict]:
        for name, values in measured.values.items():
            part = median(values) / median(self.whole.values[name])
            text = f"{name} keeps {part:.0%} of {self.whole.title}"
            if name == OURS:
                met = part >= self.at_least
                yield Verdict(f"{text}, to be at least {self.at_least:.0%}", met)
            else:
                yield Verdict(text, None)


@dataclass(frozen=True)
class Limit:
    """Ours is to be at most so much."""

    at_most: float

    def judge(self, measured: Measured) -> Iterator[Verdict]:
        if OURS in measured.values:
            value = median(measured.values[OURS])
            text = f"{value:.2f} {measured.unit}, to be at most {self.at_most:g}"
            yield Verdict(f"{measured.title}: {text}", value <= self.at_most)


def show(measured: Measured) -> None:
    print(f"\n{measured.title}, {measured.unit}")
    print(f"  {'':20}{'median':>12}{'lowest':>12}{'highest':>12}{'forge_jobs is':>16}")
    for name, values in measured.values.items():
        numbers = "".join(f"{number(value):>12}" for value in spread(values))
        print(f"  {name:20}{numbers}{comparison(measured, name):>16}")
    for verdict in measured.verdicts():
        print(f"  {verdict}")


def spread(values: list[float]) -> tuple[float, float, float]:
    return median(values), min(values), max(values)


def comparison(measured: Measured, name: str) -> str:
    if name == OURS or OURS not in measured.values:
        return ""
    return f"{median(measured.ratios(name)):.2f}x"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}"
