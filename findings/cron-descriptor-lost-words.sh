#!/usr/bin/env bash
# Expected: the sentence for an expression says when it fires, or the expression is refused.
# True, in cron-descriptor 2.2.1: of a list of nth weekdays the ordinals vanish (1#1,5#2 reads as any
# Monday and Friday), a step within a range of weekdays becomes a number of weeks, and of a list with
# the last day the letter stays as it is.
# Hurt: whoever shows such a sentence beside an expression, so that people can see whether they typed
# what they meant: the second reads as every other week, and fires each Friday and Sunday.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'cron-descriptor==2.2.1' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from cron_descriptor import get_description

print("cron-descriptor", version("cron-descriptor"))
told = {text: get_description(text) for text in ("0 9 * * 1#1,5#2", "0 9 * * fri-mon/2", "0 9 1,L * *")}
for text, words in told.items():
    print(f"{text!r} is told as {words!r}")
assert "first" not in told["0 9 * * 1#1,5#2"] and "second" not in told["0 9 * * 1#1,5#2"]
assert "every 2 weeks" in told["0 9 * * fri-mon/2"]
assert "day 1 and L" in told["0 9 1,L * *"]
PYTHON
