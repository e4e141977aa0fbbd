"""Counts the words of a text; a child is made of it by `python -m forge_jobs.child`."""

import logging

from forge_jobs.child import progress

logger = logging.getLogger(__name__)


def count(*, text: str) -> dict[str, int]:
    words = text.split()
    if not words:
        logger.warning("there are no words")
    progress(len(words), len(words))
    return {"words": len(words), "longest": max(map(len, words), default=0)}
