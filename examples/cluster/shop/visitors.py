"""Visitors who order all the time, until standard input ends: python -m shop.visitors PER_SECOND"""

import sys
import time
from itertools import count
from threading import Event, Thread

import django

from shop.ledger import write

THREADS = 8


def main(per_second: float) -> None:
    django.setup()
    closed, numbers = Event(), count(1)
    pause = THREADS / per_second
    threads = [Thread(target=visit, args=(closed, numbers, pause)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    closed.set()
    for thread in threads:
        thread.join()


def visit(closed: Event, numbers: "count[int]", pause: float) -> None:
    """Order at a steady pace; whoever comes after one that was refused has a new session."""
    from django.db import Error, connection

    from shop.jobs import send_receipt

    due = time.monotonic()
    while not closed.wait(max(0.0, due - time.monotonic())):
        due = max(due + pause, time.monotonic() - 1)
        number = next(numbers)
        try:
            send_receipt.enqueue(number=number)
        except Error:
            connection.close()
            write("refused", number)
        else:
            write("accepted", number)


if __name__ == "__main__":
    main(float(sys.argv[1]))
