"""A file outside of the database in which is written what was accepted, and what ran."""

import os
import time


def write(word: str, number: int) -> None:
    """Add a line, in one piece, whoever else does the same."""
    file = os.open(os.environ["SHOP_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{word} {number} {time.monotonic():.3f}\n".encode())
    finally:
        os.close(file)
