#!/usr/bin/env bash
# Expected: the span of a piece of work that was broken off says so: its status is an error, or it has an
# event of the exception that left it.
# True, in opentelemetry-sdk 1.45.2: start_as_current_span() looks at subclasses of Exception alone. What
# asyncio.timeout() or a cancellation ends, and what leaves by SystemExit or KeyboardInterrupt, has the same
# span as what went well: unset, without an event. start_span() used as a context manager records all of them.
# Hurt: whoever counts errors by spans, or keeps the traces that have some: the slow call that timed out is
# counted as one that went well, and its trace is thrown away.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'opentelemetry-sdk==1.45.2' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
from importlib.metadata import version

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

print("opentelemetry-sdk", version("opentelemetry-sdk"))
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("jobs")


async def timed_out(start):
    try:
        async with asyncio.timeout(0.1):
            with start("charge"):
                await asyncio.Event().wait()
    except TimeoutError:
        pass


def left_by(error, start):
    try:
        with start("charge"):
            raise error
    except BaseException:
        pass


def told():
    (span,) = exporter.get_finished_spans()
    exporter.clear()
    return span.status.status_code.name, [event.name for event in span.events]


seen = {}
for start in (tracer.start_as_current_span, tracer.start_span):
    asyncio.run(timed_out(start))
    seen[start.__name__, "a timeout"] = told()
    for error in (SystemExit(1), ValueError("no money")):
        left_by(error, start)
        seen[start.__name__, type(error).__name__] = told()
for (name, end), span in seen.items():
    print(f"{name:24}{end:12}{span}")
recorded = ("ERROR", ["exception"])
assert seen.pop(("start_as_current_span", "a timeout")) == ("UNSET", []), "expected by its users: ERROR"
assert seen.pop(("start_as_current_span", "SystemExit")) == ("UNSET", []), "expected by its users: ERROR"
assert set(map(str, seen.values())) == {str(recorded)}
PYTHON
