"""The handler; it is imported by web processes, too, so that it must not import the model."""

from __future__ import annotations

from forge_jobs import JobContext, Throttled, job

CHUNK = 64


@job(
    queue="gpu0",
    isolation="process",
    preload="embedding.model",
    max_concurrent_per_process=1,
    timeout=120,
    takes_context=True,
)
def embed(ctx: JobContext, *, texts: list[str]) -> list[list[float]]:
    from embedding.model import OutOfMemory, model

    vectors: list[list[float]] = []
    for start in range(0, len(texts), CHUNK):
        ctx.cancelled.raise_if_set()
        try:
            vectors += model.embed(texts[start : start + CHUNK])
        except OutOfMemory:
            raise Throttled(10) from None
        ctx.progress(len(vectors), len(texts))
    return vectors
