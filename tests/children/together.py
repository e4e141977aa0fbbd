"""A chunk handler in a child, whose jobs do what they are told to the call that they share."""

import ctypes
import os
from typing import TypedDict

from forge_jobs import Chunk, Dead, chunk_job
from forge_jobs.handlers.chunks import Item
from tests.app.models import Effect


class Order(TypedDict):
    do: str


@chunk_job(kind="tests.together", size=3, wait=0.5, isolation="process", max_attempts=1)
def together(chunk: Chunk[Order]) -> None:
    for item in chunk:
        item.ctx.progress(len(chunk))
        item.ctx.logger.warning("is in a call for %d", len(chunk))
        obey(item)


def obey(item: Item[Order]) -> None:
    match item.payload["do"]:
        case "answer":
            Effect.objects.create(number=item.ctx.job_id, pid=os.getpid())
            item.done(item.ctx.step("where", os.getpid))
        case "die":
            ctypes.string_at(0)
        case "give up":
            item.answer(Dead("never"))
        case "raise":
            raise LookupError("no such order")
        case "hang":
            ctypes.PyDLL(None).sleep(1000)  # and holds the interpreter's lock
