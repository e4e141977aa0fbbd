"""Tracebacks: which frames are of the project's own code, by their paths alone."""

from pathlib import Path

import pytest

import forge_jobs
from forge_jobs.dashboard.frames import is_of_the_project, passages

TRACEBACK = """\
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/requests/api.py", line 59, in get
    return request("get", url)
           ^^^^^^^^^^^^^^^^^^^
  File "/srv/shop/orders/jobs.py", line 12, in send
    tell(order)
  File "/srv/shop/orders/tell.py", line 3, in tell
    raise ValueError("bad\\nnews")
ValueError: bad
news

During handling of the above exception, another exception occurred:

  File "<frozen importlib._bootstrap>", line 1, in load
RuntimeError
"""


@pytest.mark.parametrize(
    ("path", "is_own"),
    [
        ("/srv/shop/orders/jobs.py", True),
        ("orders/jobs.py", True),
        (r"C:\shop\orders\jobs.py", True),
        ("/home/ada/lib/jobs.py", True),
        ("/venv/lib/python3.12/site-packages/django/db/utils.py", False),
        ("/usr/lib/python3/dist-packages/requests/api.py", False),
        ("/usr/local/lib/python3.13/json/decoder.py", False),
        (r"C:\Python311\Lib\json\decoder.py", False),
        ("<frozen importlib._bootstrap>", False),
        ("<string>", False),
        (str(Path(forge_jobs.__file__).parent / "handlers" / "handler.py"), False),
    ],
)
def test_paths_tell_whose_code_it_is(path: str, is_own: bool) -> None:
    assert is_of_the_project(path) == is_own


def test_own_frames_are_marked_with_their_lines_and_nothing_is_lost() -> None:
    found = passages(TRACEBACK)

    assert "".join(passage.text for passage in found) == TRACEBACK
    (own,) = [passage.text for passage in found if passage.is_own]
    assert own.startswith('  File "/srv/shop/orders/jobs.py"')
    assert own.endswith('raise ValueError("bad\\nnews")\n')


def test_what_is_no_traceback_has_no_own_frames() -> None:
    assert [passage.is_own for passage in passages("ValueError: bad")] == [False]
    assert passages("") == []
