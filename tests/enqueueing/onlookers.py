"""Those who look on at what Django asks by replacing what its cursors do, as tracers do."""

from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper


def executed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is executed from now on: how each statement begins, and its number of parameters."""
    seen: list[tuple[str, int]] = []
    execute = CursorWrapper.execute

    def traced(cursor: CursorWrapper, sql: Any, params: Any = None) -> Any:
        seen.append((sql.split()[0], len(params)))
        return execute(cursor, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", traced)
    return seen
