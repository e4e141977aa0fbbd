#!/usr/bin/env bash
# Expected: a span that has as many attributes as it may have keeps them, and does without the next, as the
# specification has it: what would exceed the limit is discarded.
# True, in opentelemetry-sdk 1.45.2: the next is taken, and the oldest goes. So of a span with more than 128
# those are lost that were given first: at its start, where instrumentation puts the name of the job, the
# queue, the customer, the statement.
# Hurt: whoever sets an attribute for each item, and looks for the span of one job or customer: just the
# large ones, which one looks for, are not found, and rules that sample or alarm by the first attributes pass
# them over.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'opentelemetry-sdk==1.45.2' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import logging
from importlib.metadata import version

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.disable()
print("opentelemetry-sdk", version("opentelemetry-sdk"))
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
START = {"messaging.message.id": "42", "messaging.destination.name": "payroll"}
with provider.get_tracer("jobs").start_as_current_span("process payroll", attributes=START) as span:
    for number in range(128):
        span.set_attribute(f"person.{number}", "paid")
(span,) = exporter.get_finished_spans()
print(len(span.attributes), "attributes,", span.dropped_attributes, "dropped")
print("of those of its start it has", {name: span.attributes.get(name) for name in START})
assert len(span.attributes) == 128 and span.dropped_attributes == 2
assert not START.keys() & span.attributes.keys(), "expected by its users: both"
assert "person.127" in span.attributes, "expected by its users: discarded"
PYTHON
