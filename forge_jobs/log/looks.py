"""How log lines look: to people, where one line is one line, and to machines."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from forge_jobs.handlers.border import plain
from forge_jobs.wording import in_one_line, printable

_BARE: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TOLD_AS_THEY_ARE: Final = (int, float)


def take_over(record: logging.LogRecord) -> bool:
    """A filter that lets nothing of what a line quotes begin another one, whoever formats it."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            one if type(one) in _TOLD_AS_THEY_ARE else in_one_line(plain(one))
            for one in record.args
        )
    return True


class TextFormatter(logging.Formatter):
    """One line each; below it a traceback, indented, so that none of it looks like a line."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        if self.usesTime():
            record.asctime = self.formatTime(record, self.datefmt)
        return "\n".join([in_one_line(self.formatMessage(record)), *self._below(record)])

    def _below(self, record: logging.LogRecord) -> Iterator[str]:
        for text in (
            self.formatException(record.exc_info) if record.exc_info else "",
            self.formatStack(record.stack_info) if record.stack_info else "",
        ):
            for line in printable(text).split("\n") if text else ():
                yield f"    {line}"


class JSONFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, and the fields of `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _BARE},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        try:
            return json.dumps(line, default=plain, allow_nan=False)
        except (TypeError, ValueError, RecursionError):  # of fields that hold what is no JSON
            return json.dumps({key: _plain(value) for key, value in line.items()})


def _plain(value: Any) -> Any:
    """What JSON has a word for, else its text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    return plain(value)
