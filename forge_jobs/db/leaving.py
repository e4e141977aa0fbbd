"""How a session is left as good as new, by whoever asks the last of it."""


class Leaving:
    """The way `back` that the server may be asked for along with the last; empty if there is none.

    Who has asked for it, and was heard, says so by `is_over`.
    """

    def __init__(self, back: bytes) -> None:
        self.back = back
        self.is_over = False
