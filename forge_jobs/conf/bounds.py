"""The bounds of numbers that more than one place checks."""

from typing import Final

MIN_PRIORITY: Final = -100
MAX_PRIORITY: Final = 100
MAX_ATTEMPTS: Final = 2**31 - 1
MAX_THREADS: Final = 1_000
MAX_COROUTINES: Final = 2_000
LEAST_TOKENS: Final = 1e-9
"""One in some thirty years."""
MOST_TOKENS: Final = 1e12
"""Beyond it, arithmetic with single tokens would be inexact."""
