"""The painters: landscapes and patterns from a palette of five colours and some luck."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sin, tau
from random import Random
from typing import Self

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Palette:
    """Five colours in hexadecimal, from the sky down to the foreground."""

    sky: str
    horizon: str
    light: str
    far: str
    near: str

    def colours(self) -> list[Colour]:
        return [_rgb(text) for text in (self.sky, self.horizon, self.light, self.far, self.near)]


PALETTES = (
    Palette("#2b3a67", "#f6a96c", "#fff1c9", "#a7708f", "#1d2440"),
    Palette("#7fb7d8", "#f4efdc", "#ffd166", "#86b39d", "#24463b"),
    Palette("#3d2645", "#e8645a", "#ffe3b0", "#8c3f66", "#1c1026"),
    Palette("#a9c7e8", "#eef4f8", "#ffffff", "#7f9dbd", "#2a4365"),
    Palette("#e0a25c", "#fbe6c2", "#fff8e7", "#c8694a", "#5b2a2a"),
    Palette("#0f3d4c", "#6fb8a8", "#f3e9c4", "#2f7f86", "#07222c"),
    Palette("#5b4b8a", "#f2b8c6", "#fff4e0", "#9a7bb5", "#2a1f4e"),
    Palette("#16222f", "#4f6d7a", "#f2d492", "#37526b", "#0b1219"),
    Palette("#c9d8b6", "#f8f4e3", "#e4572e", "#7b9e6b", "#33452b"),
)


class Canvas:
    """An image under the brush."""

    def __init__(self, width: int, height: int, *, palette: Palette, random: Random) -> None:
        self.width, self.height, self.random = width, height, random
        self.sky, self.horizon, self.light, self.far, self.near = palette.colours()
        self.image = Image.new("RGB", (width, height), self.sky)
        self.brush = ImageDraw.Draw(self.image, "RGBA")

    def wash(self, top: Colour, bottom: Colour) -> Self:
        """Fill everything with a gradient from top to bottom."""
        mask = Image.linear_gradient("L").resize((self.width, self.height))
        tops, bottoms = (Image.new("RGB", mask.size, colour) for colour in (top, bottom))
        self.image.paste(Image.composite(bottoms, tops, mask))
        return self

    def disc(self, centre: Point, radius: float, fill: tuple[int, ...]) -> None:
        x, y = centre
        self.brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def glow(self, centre: Point, radius: float) -> None:
        """A sun: halos, then the disc."""
        for halo in (3.2, 2.4, 1.7):
            self.disc(centre, radius * halo, (*self.light, 22))
        self.disc(centre, radius, self.light)

    def ridge(self, *, at: float, swing: float, fill: tuple[int, ...], rough: float = 0) -> None:
        """Fill everything below a wavy line around the height `at`."""
        waves = [
            (swing / 2**octave, self.random.uniform(0.6, 1.4) * 2**octave, self.random.random())
            for octave in range(3)
        ]
        line: list[Point] = []
        for x in range(0, self.width + 8, 8):
            turn = x / self.width
            y = sum(size * sin(tau * (pace * turn + shift)) for size, pace, shift in waves)
            line.append((x, at + y + self.random.uniform(-rough, rough)))
        self.brush.polygon([*line, (self.width, self.height), (0, self.height)], fill=fill)


def hills(canvas: Canvas) -> None:
    canvas.wash(canvas.sky, canvas.horizon)
    place = (canvas.random.uniform(0.2, 0.8), canvas.random.uniform(0.2, 0.42))
    canvas.glow((place[0] * canvas.width, place[1] * canvas.height), canvas.height * 0.075)
    layers = canvas.random.randint(5, 7)
    for layer in range(layers):
        depth = layer / (layers - 1)
        tone = mix(mix(canvas.horizon, canvas.far, 0.55), canvas.near, depth)
        at = canvas.height * (0.48 + 0.42 * depth)
        canvas.ridge(at=at, swing=canvas.height * (0.075 - 0.03 * depth), fill=tone)


def lake(canvas: Canvas) -> None:
    canvas.wash(canvas.sky, canvas.horizon)
    shore = int(canvas.height * canvas.random.uniform(0.56, 0.64))
    x = canvas.width * canvas.random.uniform(0.3, 0.7)
    canvas.glow((x, shore * 0.55), canvas.height * 0.06)
    for depth in (0.25, 0.6, 1.0):
        tone = mix(canvas.far, canvas.near, depth * 0.8)
        at = shore * (0.78 + 0.16 * depth)
        canvas.ridge(at=at, swing=canvas.height * 0.07 * (1.2 - depth), fill=tone, rough=3)
    above = canvas.image.crop((0, 2 * shore - canvas.height, canvas.width, shore))
    mirror = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    water = Image.new("RGB", mirror.size, canvas.sky)
    canvas.image.paste(Image.blend(mirror, water, 0.3), (0, shore))
    for _ in range(60):
        y = shore + (canvas.height - shore) * canvas.random.random() ** 1.5
        reach = canvas.width * canvas.random.uniform(0.03, 0.16)
        start = x + canvas.random.gauss(0, canvas.width * 0.16)
        canvas.brush.line((start - reach, y, start + reach, y), (*canvas.light, 40), width=3)


def waves(canvas: Canvas) -> None:
    ramp = [canvas.light, canvas.horizon, canvas.far, canvas.sky, canvas.near]
    canvas.wash(canvas.light, canvas.horizon)
    bands = canvas.random.randint(9, 13)
    for band in range(bands):
        at = canvas.height * (0.12 + 0.95 * band / bands)
        swing = canvas.height * canvas.random.uniform(0.04, 0.09)
        state = canvas.random.getstate()
        canvas.ridge(at=at - 14, swing=swing, fill=(0, 0, 0, 26))
        canvas.random.setstate(state)  # the shadow has the shape of what casts it
        canvas.ridge(at=at, swing=swing, fill=along(ramp, (band + 1) / bands))


def bubbles(canvas: Canvas) -> None:
    canvas.wash(canvas.near, mix(canvas.sky, canvas.far, 0.5))
    tones = [canvas.horizon, canvas.light, canvas.far, canvas.sky]
    for step in range(56):
        near = step / 55
        radius = canvas.height * canvas.random.uniform(0.16, 0.24) * (1.05 - near) + 10
        x = canvas.random.gauss(0.5, 0.28) * canvas.width
        y = canvas.random.gauss(0.52, 0.24) * canvas.height
        tone = canvas.random.choice(tones)
        canvas.disc((x, y), radius, (*tone, int(38 + 120 * near)))
        canvas.disc((x - radius * 0.3, y - radius * 0.3), radius * 0.22, (*canvas.light, 60))


def tiles(canvas: Canvas) -> None:
    side = canvas.height // canvas.random.choice((4, 5, 6))
    tones = [canvas.sky, canvas.horizon, canvas.light, canvas.far, canvas.near]
    for left in range(0, canvas.width, side):
        for top in range(0, canvas.height, side):
            ground, shape, dot = canvas.random.sample(tones, 3)
            box = (left, top, left + side - 1, top + side - 1)
            canvas.brush.rectangle(box, fill=ground)
            _tile(canvas, (left, top), side=side, shape=shape, dot=dot)


def _tile(canvas: Canvas, corner: Point, *, side: int, shape: Colour, dot: Colour) -> None:
    left, top = corner
    right, bottom = left + side, top + side
    turn = canvas.random.choice((0, 90, 180, 270))
    match canvas.random.choice(("quarter", "quarter", "half", "disc", "plain")):
        case "quarter":
            centres = {0: (left, top), 90: (right, top), 180: (right, bottom), 270: (left, bottom)}
            x, y = centres[turn]
            box = (x - side, y - side, x + side, y + side)
            canvas.brush.pieslice(box, turn, turn + 90, fill=shape)
        case "half":
            canvas.brush.pieslice((left, top, right, bottom), turn, turn + 180, fill=shape)
        case "disc":
            middle = ((left + right) / 2, (top + bottom) / 2)
            canvas.disc(middle, side * 0.36, shape)
            canvas.disc(middle, side * 0.16, dot)


MOTIFS: dict[str, Callable[[Canvas], None]] = {
    painter.__name__: painter for painter in (hills, lake, waves, bubbles, tiles)
}


def mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def along(ramp: list[Colour], share: float) -> Colour:
    """The colour at `share` (0 to 1) of the way through the ramp."""
    position = min(max(share, 0), 1) * (len(ramp) - 1)
    start = min(int(position), len(ramp) - 2)
    return mix(ramp[start], ramp[start + 1], position - start)


def _rgb(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
