"""The system check of programs that handlers start."""

import sys
from pathlib import Path
from typing import Any

import pytest

from forge_jobs import register
from forge_jobs.checks.children import check_programs
from forge_jobs.handlers import SubprocessPool

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("program", "options", "missing"),
    [
        (["/nowhere/at-all"], {}, ["there is no program /nowhere/at-all"]),
        (["no-such-program"], {}, ["there is no program no-such-program"]),
        ([__file__], {}, [f"there is no program {__file__}"]),
        (["cat"], {"cwd": "/nowhere"}, ["there is no folder /nowhere"]),
        (["cat"], {"env": {"PATH": "/nowhere"}}, ["there is no program cat"]),
        (["cat"], {}, []),
        ([f"./{Path(sys.executable).name}"], {"cwd": Path(sys.executable).parent}, []),
    ],
)
def test_a_program_that_is_not_here_is_a_warning(
    program: list[str], options: dict[str, Any], missing: list[str]
) -> None:
    register(SubprocessPool("tests.pool", program, **options))

    found = check_programs(None)

    assert [(one.id, one.msg) for one in found] == [
        ("forge_jobs.W014", f"Jobs of 'tests.pool' can't run here: {one}.") for one in missing
    ]
