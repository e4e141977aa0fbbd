#!/usr/bin/env bash
# Expected: env.float("RATE") of django-environ reads what float() reads, "1e6" as a million, and refuses the rest;
# "float" is among the types that its documentation lists, without more. So environs has it.
# True, in django-environ 0.14.0: the text is first stripped of all but digits, points, commas and hyphens. "1e6" is
# 16.0, "2.5e3" is 2.53, and "1e+16", as Python and JavaScript write such numbers, is 116.0. Only with a hyphen in the
# exponent it is refused. Of several points and commas the last is the decimal one, so that "1,000" is 1.0 and
# "1,000,000" is 1000.0, while "1,000.50" is right. Letters that should be an error are dropped: "10k" is ten, "500ms"
# is 500, "1/3" is 13. env("RATE", default=0.5) and a scheme of (float, 0.5) do the same.
# Hurt: whoever has limits, budgets, timeouts or learning rates in the environment: a number is there, and it is wrong
# by a factor of thousands, without an error at the start. env.int("1e6") is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'django-environ==0.14.0' 'environs==15.2.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import os
from importlib.metadata import version

import environ
import environs

print("django-environ", version("django-environ"), "environs", version("environs"))


def attempt(read):
    try:
        return read()
    except (ValueError, environs.EnvError) as error:
        return type(error).__name__


def rate(text):
    os.environ["RATE"] = text
    found = attempt(lambda: environ.Env().float("RATE"))
    assert found == attempt(lambda: environ.Env()("RATE", default=0.5)), "another one by default="
    assert found == attempt(lambda: environ.Env(RATE=(float, 0.5))("RATE")), "another one by a scheme"
    others = attempt(lambda: environs.Env().float("RATE"))
    print(f"{text:10} is {found!s:10} environs: {others}")
    return found


assert rate("0.25") == 0.25
assert rate("-3") == -3.0
assert rate("1,000.50") == 1000.5
assert rate("1e-3") == "ValueError", "expected by its users: 0.001"
assert rate("1e6") == 16.0, "expected by its users: 1000000.0"
assert rate(str(1e16)) == 116.0, "expected by its users: 1e16"
assert rate("2.5e3") == 2.53, "expected by its users: 2500.0"
assert rate("1,000") == 1.0, "expected by its users: 1000.0, or an error"
assert rate("1,000,000") == 1000.0, "expected by its users: 1000000.0, or an error"
assert rate("10k") == 10.0, "expected by its users: an error"
assert rate("500ms") == 500.0, "expected by its users: an error"
assert rate("1/3") == 13.0, "expected by its users: an error"
os.environ["RATE"] = "1e6"
assert attempt(lambda: environ.Env().int("RATE")) == "ValueError"
PYTHON
