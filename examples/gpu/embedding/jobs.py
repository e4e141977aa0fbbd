"""The handler; it is imported by web processes, too, so that it must not import the model."""

from __future__ import annotations

from typing import TypedDict

from forge_jobs import Chunk, Throttled, chunk_job


class Text(TypedDict):
    text: str


@chunk_job(
    size=64,
    queue="gpu0",
    isolation="process",
    preload="embedding.model",
    max_concurrent_per_process=1,
    timeout=120,
)
def embed(chunk: Chunk[Text]) -> None:
    from embedding.model import OutOfMemory, model

    try:
        vectors = model.embed([payload["text"] for payload in chunk.payloads])
    except OutOfMemory:
        if len(chunk) > 1:
            raise  # the halves may fit
        raise Throttled(10) from None
    for item, vector in zip(chunk, vectors, strict=True):
        item.done(vector)
