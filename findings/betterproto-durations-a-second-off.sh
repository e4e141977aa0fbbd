#!/usr/bin/env bash
# Expected: a timedelta in a message of betterproto is the same for whoever reads it, in the format of the wire and in
# JSON, and so is an aware datetime: "Timezone-aware datetime and timedelta objects" are among its features.
# True, in betterproto 1.2.5, and in 2.0.0b7, the last of the betas: what is negative and has a fraction is a second off
# on the wire: -1.5 seconds arrive as -0.5, and -0.5 as 0.5, by its own reader and by Google's. Below 0.1 milliseconds
# JSON has "5e-05s", which Google's reader refuses. And in 1.2.5 the offset of an aware datetime is dropped in JSON:
# 09:00 at +01:00 is written as "09:00:00Z", an hour late, while on the wire it is right; there it is the moments before
# 1970 that are a second off. The beta has these two right.
# Hurt: whoever sends differences, such as how far ahead of time something was done or how wrong a clock goes: half a
# second early is half a second late. And whoever shows the same message by gRPC and as JSON: the hour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > sent.py <<'PYTHON'
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

import betterproto
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

print("betterproto", version("betterproto"), "protobuf", version("protobuf"))
BETA = version("betterproto") == "2.0.0b7"
SECOND = timedelta(seconds=1)


@dataclass(eq=False, repr=False)
class Run(betterproto.Message):
    late: timedelta = betterproto.message_field(1)
    at: datetime = betterproto.message_field(2)


def of_google(message_type, text):
    message = message_type()
    try:
        message.FromJsonString(text)
    except ValueError as error:
        return type(error).__name__
    return message


def late(seconds):
    """The seconds as they arrive by the wire, for betterproto and Google, and as JSON has them for Google."""
    sent = Run(late=seconds * SECOND)
    wire, text = bytes(sent), sent.to_dict()["late"]
    by_json = of_google(Duration, text)
    found = (
        Run().parse(wire).late / SECOND,
        Duration.FromString(wire[2:]).ToTimedelta() / SECOND,
        by_json if isinstance(by_json, str) else by_json.ToTimedelta() / SECOND,
    )
    print(f"{seconds} arrives as {found[0]}, for Google {found[1]}, and as JSON {text!r}, for Google {found[2]}")
    return found


def at(moment):
    """The moment as it arrives by the wire, and the text that it is in JSON."""
    sent = Run(at=moment)
    found = Run().parse(bytes(sent)).at, sent.to_dict()["at"]
    print(f"{moment} arrives as {found[0]}, and as JSON {found[1]!r}")
    return found


assert late(1.5) == (1.5, 1.5, 1.5)
assert late(-2) == (-2, -2, -2)
assert late(-1.5) == (-0.5, -0.5, -1.5), "expected by its users: -1.5 everywhere"
assert late(-0.5) == (0.5, 0.5, -0.5), "expected by its users: -0.5 everywhere"
assert late(0.00005) == (0.00005, 0.00005, "ValueError"), "expected by its users: 0.00005 everywhere"

nine = datetime(2026, 11, 29, 9, tzinfo=timezone(timedelta(hours=1)))
if BETA:
    assert at(nine) == (nine, "2026-11-29T08:00:00Z")
else:
    assert at(nine) == (nine, "2026-11-29T09:00:00Z"), "expected by its users: 2026-11-29T08:00:00Z"
early = datetime(1969, 7, 20, 20, 17, 40, 500000, tzinfo=timezone.utc)
arrived = early if BETA else early + SECOND
assert at(early) == (arrived, "1969-07-20T20:17:40.500Z"), "expected by its users: the same moment"
PYTHON
for version in 1.2.5 2.0.0b7; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check \
    "betterproto==$version" 'grpclib==0.4.9' 'protobuf==6.33.6' 2>/dev/null
  "$folder/$version/bin/python" sent.py
done
