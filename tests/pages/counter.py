"""Runs the commands of a shop in forks of one process, for most of a command is its imports."""

import json
import os
import sys

import django
from django.core.management import execute_from_command_line


def main() -> None:
    """Of each line, words and the name of a file for what they print, say how that ended."""
    sys.path[0] = ""
    django.setup()
    for line in sys.stdin:
        words, name = json.loads(line)
        if not (pid := os.fork()):
            perform(words, name)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def perform(words: list[str], name: str) -> None:
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.argv = words
    execute_from_command_line(words)
    sys.exit()


if __name__ == "__main__":
    main()
