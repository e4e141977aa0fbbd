#!/usr/bin/env bash
# Expected: msgspec.convert(), which takes objects as well as what JSON has, takes a member of an Enum where
# that Enum is wanted, as it does a UUID, a date or a dataclass; and msgspec.inspect.type_info() says of each
# Enum that it is one.
# True, in msgspec 0.22.0: it takes members whose values are texts. One whose value is a number, of a plain
# Enum or a Flag, is refused with "Expected `int`, got `Priority`", though the number itself is taken. And
# of an Enum with a metaclass of its own, as Django's TextChoices and IntegerChoices have, convert() makes
# members, while type_info() says that it is a CustomType, and json.schema() can't be made.
# Hurt: whoever checks arguments or rows by their annotations, until the first Enum of numbers comes; and
# whoever derives forms or documentation from types with Django's choices in them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'msgspec==0.22.0' 'django==5.2.19' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from enum import Enum, Flag
from importlib.metadata import version

import msgspec
import msgspec.inspect
from django.db.models import TextChoices

print("msgspec", version("msgspec"), "Django", version("django"))


class Colour(Enum):
    RED = "red"


class Priority(Enum):
    HIGH = 1


class Rights(Flag):
    READ = 1


class Size(TextChoices):
    LARGE = "large"


def taken(given, kind):
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        return str(error)


for given, kind in [(Colour.RED, Colour), (Priority.HIGH, Priority), (Rights.READ, Rights), (1, Priority)]:
    print(f"{given!r} as {kind.__name__}: {taken(given, kind)!r}")
assert taken(Colour.RED, Colour) is Colour.RED
assert taken(1, Priority) is Priority.HIGH
assert taken(Priority.HIGH, Priority) == "Expected `int`, got `Priority`", "expected: the member"
assert taken(Rights.READ, Rights) == "Expected `int`, got `Rights`", "expected: the member"

info = msgspec.inspect.type_info(Size)
print("TextChoices: convert gives", repr(msgspec.convert("large", Size)), "and type_info", info)
assert msgspec.convert("large", Size) is Size.LARGE
assert isinstance(info, msgspec.inspect.CustomType), "expected: EnumType"
assert isinstance(msgspec.inspect.type_info(Colour), msgspec.inspect.EnumType)
try:
    msgspec.json.schema(Size)
except TypeError as error:
    print("and its schema:", str(error).splitlines()[0])
else:
    raise AssertionError("its schema can be made now")
PYTHON
