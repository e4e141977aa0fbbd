#!/usr/bin/env bash
# Expected: DeepDiff tells of a change from 1 to True, or from 1 to 1.0, wherever it is in the data: it has
# "type_changes" for it, and of a value in a dict it does; and an empty result says that both are the same.
# True, in deepdiff 9.1.0: in a list or a tuple it does not. [1] and [True] have no difference, [0, 1] and [False, True]
# neither, also within a dict and in lists of lists, as the items are first compared as equal or not. With another
# change beside it, that one alone is told. Delta leaves them as they are. A dict in a list is looked into, and with
# ignore_order=True each of them is told. Its issue 605 tells of it, and has a fix that is not released.
# Hurt: whoever sends, stores or audits but what has changed, or asserts by it that nothing has: a list of flags that
# became one of numbers, which is other JSON, is "the same", so that the copy keeps the old ones, and the test passes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'deepdiff==9.1.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version

from deepdiff import DeepDiff, Delta

print("deepdiff", version("deepdiff"))


def told(before, after, **options):
    difference = DeepDiff(before, after, **options)
    print(f"{json.dumps(before):14} and {json.dumps(after):14} {options or ''} {sorted(difference)}")
    return sorted(difference)


assert told({"paid": 1}, {"paid": True}) == ["type_changes"]
assert told([{"paid": 1}], [{"paid": True}]) == ["type_changes"]
assert told([1], ["1"]) == ["type_changes"]
assert told([1], [True], ignore_order=True) == ["type_changes"]
assert told([1], [True]) == [], "expected by its users: type_changes"
assert told([0, 1], [False, True]) == [], "expected by its users: type_changes"
assert told({"paid": [1]}, {"paid": [1.0]}) == [], "expected by its users: type_changes"
assert told([[1]], [[True]]) == [], "expected by its users: type_changes"
assert told([1, 2], [True, 3]) == ["values_changed"], "expected by its users: type_changes too"
copy = [1, 2] + Delta(DeepDiff([1, 2], [True, 3]))
print("the copy by Delta:", json.dumps(copy), "of", json.dumps([True, 3]))
assert json.dumps(copy) == "[1, 3]", "expected by its users: [true, 3]"
PYTHON
