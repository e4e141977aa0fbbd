#!/usr/bin/env bash
# Expected: a number in JSON that is read into a Decimal is that number, for why else would one ask for a
# Decimal. Python's json does it with parse_float=Decimal, and msgspec 0.22.0 by itself.
# True, in pydantic 2.14.4: a number with a point goes through a float first. Of 12345678901234567.89 comes
# Decimal("12345678901234568"), which passes `decimal_places=2` with its cents gone; of 1.10 comes 1.1; and
# of 0.29999999999999998 comes 0.3. Whole numbers and texts are taken as they are.
# Hurt: whoever receives large amounts, or rates of many places, as numbers, and signs them, sums them up or
# compares them with what another system keeps: they differ, and no error says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pydantic==2.14.4' 'msgspec==0.22.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json
from decimal import Decimal
from importlib.metadata import version
from typing import Annotated

import msgspec
import pydantic

print("pydantic", version("pydantic"), "msgspec", version("msgspec"))
amount = pydantic.TypeAdapter(Annotated[Decimal, pydantic.Field(decimal_places=2, max_digits=19)])
plain = pydantic.TypeAdapter(Decimal)
for text in ("12345678901234567.89", "1.10", "0.29999999999999998"):
    came = plain.validate_json(text)
    print(f"{text} is read as {came}; by msgspec as {msgspec.json.decode(text, type=Decimal)}")
    assert str(msgspec.json.decode(text, type=Decimal)) == text
    assert str(json.loads(text, parse_float=Decimal)) == text
    assert str(came) != text, "expected by its users: the same"
    assert plain.validate_json(f'"{text}"') == Decimal(text)
cents = amount.validate_json("12345678901234567.89")
print("with decimal_places=2 as well:", cents)
assert cents == Decimal("12345678901234568"), "expected by its users: 12345678901234567.89"
assert plain.validate_json("123456789012345678901234567890") == 123456789012345678901234567890
PYTHON
