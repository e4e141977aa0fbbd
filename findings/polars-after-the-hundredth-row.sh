#!/usr/bin/env bash
# Expected: a value that does not fit the type which polars has guessed for a column is an error, as a text among
# integers is, and as 2.5 among integers is in read_csv() and where columns are given; or the column becomes another.
# True, in polars 2.1.0: the type is guessed from the first hundred rows, and from the next on a float or a Decimal
# among integers is cut to a whole number, True is 1, and a date is the number of days since 1970. So it is by
# pl.DataFrame(rows), from_dicts() and read_json(), in rows of dicts and of tuples, with the strict mode that is the
# default. A key that is in none of the first hundred is left out. One row earlier all are right. That a hundred are
# looked at is documented; infer_schema_length=None looks at all.
# Hurt: whoever puts results, invoices or answers of an API into a frame: 12.50 is 12 if the first hundred were whole
# amounts, and the column that came later is not there. Sums are a little off, and tests have ten rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'polars==2.1.0' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json
from datetime import date
from decimal import Decimal

import polars

print("polars", polars.__version__)


def last(value, *, after):
    """What is in the last row of a frame whose other rows have whole amounts, by each of three ways."""
    rows = [{"amount": 10}] * after + [{"amount": value}]
    found = [polars.DataFrame(rows), polars.DataFrame([(row["amount"],) for row in rows], ["amount"], orient="row")]
    if isinstance(value, float):
        found.append(polars.read_json(json.dumps(rows).encode()))
    values = {frame["amount"][-1] for frame in found}
    print(f"{value!r} after {after} whole amounts: {values}")
    return values


def refused(make):
    try:
        make()
    except (TypeError, polars.exceptions.ComputeError):
        return True


assert last(12.5, after=99) == {12.5}
assert last(12.5, after=100) == {12}, "expected by its users: 12.5, or an error"
assert last(-0.9, after=100) == {0}, "expected by its users: -0.9, or an error"
assert last(Decimal("12.50"), after=100) == {12}, "expected by its users: 12.50, or an error"
assert last(date(2026, 1, 1), after=100) == {20454}, "expected by its users: an error"
assert refused(lambda: last("free", after=100))
assert refused(lambda: polars.DataFrame({"amount": [10] * 100 + [12.5]}))
assert refused(lambda: polars.read_csv(("amount\n" + "10\n" * 100 + "12.5\n").encode()))
late = polars.DataFrame([{"amount": 10}] * 100 + [{"amount": 10, "discount": 5}]).columns
whole = polars.DataFrame([{"amount": 10}] * 100 + [{"amount": 12.5}], infer_schema_length=None)["amount"][-1]
print("columns where the last row has a discount:", late, "and 12.5 with infer_schema_length=None:", whole)
assert late == ["amount"], "expected by its users: amount, discount"
assert whole == 12.5
PYTHON
