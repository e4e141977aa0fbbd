"""Knows whether anything comes after jobs at all, so that most commits need not ask."""


class Followers:
    """Told by each look at the news, and so at once where an enqueue says so.

    What it misses, the gatekeeper finds.
    """

    def __init__(self) -> None:
        self.are_there = True
