#!/usr/bin/env bash
# Expected: 19.99 is a multiple of 0.01, as it stands in the JSON; a price that is typed with two digits passes
# {"type": "number", "multipleOf": 0.01}.
# True, in jsonschema 4.26.0: numbers are divided as floats, and what has no whole number as its quotient is refused.
# Of all prices from 0.01 to 100.00 it refuses 1363, 0.07 and 19.99 among them. fastjsonschema 2.22.3 takes all of
# them, and pydantic 2.14.4 too. Texts that are read with parse_float=Decimal pass, if the schema is read so as well.
# And 0.075 is refused by all.
# Hurt: whoever checks amounts, hours or weights by a schema: most pass, those of the tests among them, and now and
# then a customer's order is refused, with a message that says that 19.99 is not a multiple of 0.01.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'jsonschema==4.26.0' 'fastjsonschema==2.22.3' 'pydantic==2.14.4' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json
from decimal import Decimal
from importlib.metadata import version
from typing import Annotated

import fastjsonschema
import jsonschema
from pydantic import Field, TypeAdapter, ValidationError

for name in ("jsonschema", "fastjsonschema", "pydantic"):
    print(name, version(name), end="  ")
print()
SCHEMA = '{"type": "number", "multipleOf": 0.01}'
PRICES = [f"{cents // 100}.{cents % 100:02}" for cents in range(1, 10_001)]
ODD = "0.075"
plain = jsonschema.Draft202012Validator(json.loads(SCHEMA)).is_valid
exact = jsonschema.Draft202012Validator(json.loads(SCHEMA, parse_float=Decimal)).is_valid
compiled = fastjsonschema.compile(json.loads(SCHEMA))
adapter = TypeAdapter(Annotated[float, Field(multiple_of=0.01)])


def refused(name, check):
    """The prices that a check does not let pass."""
    found = []
    for price in [*PRICES, ODD]:
        try:
            if check(price) is False:
                found.append(price)
        except (fastjsonschema.JsonSchemaException, ValidationError):
            found.append(price)
    assert found.pop() == ODD
    print(f"{name}: refuses {len(found)} of {len(PRICES)} prices: {found[:6]}")
    return found


by_plain = refused("jsonschema", lambda price: plain(json.loads(price)))
by_exact = refused("jsonschema, Decimals", lambda price: exact(json.loads(price, parse_float=Decimal)))
by_compiled = refused("fastjsonschema", lambda price: compiled(json.loads(price)))
by_pydantic = refused("pydantic", adapter.validate_json)
assert by_exact == by_compiled == by_pydantic == []
assert {"0.07", "19.99"} <= set(by_plain), "expected by its users: none"
assert len(by_plain) == 1363, "expected by its users: 0"
PYTHON
