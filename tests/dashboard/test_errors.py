"""The errors of a job as its page tells them."""

from forge_jobs.dashboard.errors import read_errors
from forge_jobs.handlers.settlement_texts import LONGEST_TRACEBACK
from forge_jobs.wording import LONGEST_MESSAGE, trimmed
from tests.conftest import NOON


def test_what_was_trimmed_to_be_stored_is_shown_whole() -> None:
    message = trimmed("no answer " * 1_000, LONGEST_MESSAGE)
    frames = '  File "/srv/shop/jobs.py", line 7, in send\n    send()\n' * 1_000
    traceback = trimmed(f"Traceback (most recent call last):\n{frames}", LONGEST_TRACEBACK)
    stored = [{"at": NOON.isoformat(), "message": message, "traceback": traceback}]

    (error,) = read_errors(stored, otherwise=NOON)

    assert (error.message, error.traceback) == (message, traceback)
    assert "".join(passage.text for passage in error.passages) == traceback
