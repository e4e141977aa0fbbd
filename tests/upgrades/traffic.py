"""A web process of the shop, and visitors who order all the time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event, Lock, Thread
from typing import Final, Self
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.faults.elsewhere import LONG
from tests.faults.servers import LOCALHOST, free_port
from tests.running import PATIENCE, Manage, eventually

PAUSE: Final = 0.03
"""Seconds between two orders."""


class Web(Manage):
    """`manage.py runserver`; entered when it answers."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.address = f"{LOCALHOST}:{free_port()}"
        super().__init__("runserver", "--noreload", self.address, **environment)

    def __enter__(self) -> Self:
        eventually(lambda: self.process.poll() is not None or self._answers(), patience=LONG)
        assert self.process.poll() is None, self.output
        return super().__enter__()

    def ask(self, method: str, number: int) -> str:
        """What it answers; an `OSError` if it refuses."""
        request = Request(f"http://{self.address}/orders/{number}/", method=method)
        with urlopen(request, timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def _answers(self) -> bool:
        with suppress(URLError):
            return bool(self.ask("GET", 0))
        return False


class Shop:
    """What its visitors were told: they order by turns where a load balancer sends them to."""

    def __init__(self, web: Web) -> None:
        self.accepted: set[int] = set()
        self.refused: dict[int, Exception] = {}
        self._open = [web]
        self._turn = Lock()
        self._closed = Event()
        self._visitors = Thread(target=self._visit, daemon=True)

    def opens(self) -> None:
        self._visitors.start()

    def closes(self) -> None:
        """Nobody orders any more when this returns."""
        self._closed.set()
        self._visitors.join(PATIENCE)
        assert not self._visitors.is_alive()

    def sends_to(self, *webs: Web) -> None:
        """From now on; nobody is with another web process any more when this returns."""
        with self._turn:
            self._open = [*webs]

    def _visit(self) -> None:
        for number in count(1):
            if self._closed.wait(PAUSE):
                return
            with self._turn:
                self._order(number, self._open[number % len(self._open)])

    def _order(self, number: int, web: Web) -> None:
        try:
            web.ask("POST", number)
        except OSError as error:
            self.refused[number] = error
        else:
            self.accepted.add(number)


@contextmanager
def visitors(web: Web) -> Iterator[Shop]:
    """They are there until the shop closes."""
    shop = Shop(web)
    shop.opens()
    try:
        yield shop
    finally:
        shop.closes()
