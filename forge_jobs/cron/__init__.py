"""When does an expression fire? Pure: text in, moments out."""

from typing import Final

LONGEST_EXPRESSION: Final = 200
