"""What is raised in a thread and taken back leaves nothing behind."""

import subprocess
import sys

STRUCK_AND_TRACED = """
import sys
from threading import Event, Thread, get_ident
from forge_jobs.runtime.running.striking import Reach, take_back

class Struck(BaseException):
    pass

waits = Event()
another = Thread(target=waits.wait, daemon=True)
another.start()
{how}
calls = []
sys.set{kind}(lambda frame, event, argument: calls.append(event))
(lambda: None)()
sys.set{kind}(None)
print("call" in calls)
"""
IN_VAIN = "take_back(another.ident)"
AFTER_IT_HAD_ARRIVED = """
try:
    with Reach() as reach:
        reach.strike(Struck)
        for _ in range(100):
            pass
except Struck:
    pass
"""


def outcome_of(how: str, kind: str) -> str:
    program = STRUCK_AND_TRACED.format(how=how, kind=kind)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip() or done.stderr


def test_a_thread_that_is_traced_or_profiled_afterwards_goes_on() -> None:
    """On Python 3.11 it would go round for ever at the beginning of the next function."""
    for how in (IN_VAIN, AFTER_IT_HAD_ARRIVED):
        for kind in ("profile", "trace"):
            assert outcome_of(how, kind) == "True"
