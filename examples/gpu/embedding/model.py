"""A model, loaded where this module is imported: PyTorch's if that is there, else Python's own."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import Any, Protocol

try:
    import torch
except ImportError:
    torch: Any = None  # type: ignore[no-redef] # so that the example runs everywhere

WIDTH = 256
SIZE = 32
ROOM = int(os.environ.get("EMBEDDING_ROOM", "4096"))
"""How many texts the small model takes at once, for a device whose memory has an end."""


class OutOfMemory(Exception):
    """The device has no room for it now; smaller, or later, it may have."""


class Model(Protocol):
    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text; raises `OutOfMemory`."""


class TorchModel:
    def __init__(self) -> None:
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(20)
        self.layer = torch.nn.Linear(WIDTH, SIZE, bias=False).to(self.device).eval()
        self.embed(["warm"])  # the first call sets up what later ones use

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        try:
            with torch.inference_mode():
                counted = torch.tensor([counts(text) for text in texts], device=self.device)
                vectors: list[list[float]] = self.layer(counted).tolist()
                return vectors
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise OutOfMemory(str(error)) from None


class SmallModel:
    def __init__(self) -> None:
        chance = random.Random(20)  # noqa: S311 - no secret
        self.columns = [[chance.gauss(0, 0.1) for _ in range(WIDTH)] for _ in range(SIZE)]

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if len(texts) > ROOM:
            raise OutOfMemory(f"There is room for {ROOM} texts.")
        return [self._vector(counts(text)) for text in texts]

    def _vector(self, counted: list[float]) -> list[float]:
        return [sum(map(float.__mul__, column, counted)) for column in self.columns]


def counts(text: str) -> list[float]:
    """How often each byte is in a text."""
    data = text.encode()
    return [float(data.count(byte)) for byte in range(WIDTH)]


model: Model = SmallModel() if torch is None else TorchModel()
