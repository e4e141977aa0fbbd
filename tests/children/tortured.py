"""A child that does what its job tells it to, the worst included; run by its path."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

OTHERS: list[subprocess.Popen[bytes]] = []


def say(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def have_a_grandchild() -> int:
    """One that holds the pipes, and ignores what it is asked."""
    grandchild = subprocess.Popen(["sleep", "1000"])
    OTHERS.append(grandchild)
    return grandchild.pid


def obey(job: dict[str, Any]) -> None:
    number, payload = job["id"], job["payload"]
    match payload.get("do", "echo"):
        case "echo":
            say(id=number, status="ok", result={**payload, "pid": os.getpid()})
        case "say":
            write(payload["text"].replace("ID", str(number)).encode() + b"\n")
        case "say bytes":
            write(bytes.fromhex(payload["hex"]))
        case "exit":
            sys.exit(payload["code"])
        case "exit with a word":
            sys.stderr.write("no more memory\n")
            sys.exit(3)
        case "abort":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            time.sleep(1000)
        case "ignore signals":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            while True:
                pass
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "flood":
            while True:
                write(b"x" * 65_536)
        case "flood the log":
            for _ in range(payload["lines"]):
                sys.stderr.write("y" * 1000 + "\n")
            say(id=number, status="ok")
        case "half a line":
            write(b'{"status": "o')
            sys.exit(0)
        case "answer and begin another":
            write(f'{{"id": {number}, "status": "ok"}}\n{{"id"'.encode())
        case "answer twice":
            write(f'{{"id": {number}, "status": "ok", "result": 1}}\n'.encode() * 2)
        case "close stdout":
            os.close(1)
            time.sleep(1000)
        case "close stdin":
            os.close(0)
            time.sleep(1000)
        case "grandchild":
            say(id=number, status="ok", result=have_a_grandchild())
        case "grandchild, then exit":
            say(id=number, progress=have_a_grandchild())
            os._exit(0)
        case "tell":
            sys.stderr.write("to stderr\n")
            sys.stderr.flush()
            say(id=number, progress={"done": 1, "total": 3, "message": "one"})
            say(id=number, log="to the log", level="warning")
            say(id=number, status="ok")
        case "eat":
            eaten = bytearray(payload["mebibytes"] * 2**20)
            time.sleep(1000)
            sys.exit(len(eaten))
        case "both ways":
            write(b'{"log": "' + b"z" * payload["bytes"] + b'"}\n')
            say(id=number, status="ok", result=len(payload["text"]))
        case "answer twice without id":
            say(status="ok", result=number)
            say(status="ok", result=number)
        case "answer without id":
            say(status="ok", result=number)


def main() -> None:
    if "--slow" in sys.argv:
        time.sleep(0.3)
    if "--ready" in sys.argv:
        say(ready=True)
    if "--both-ways" in sys.argv:  # speaks before it reads
        write(b'{"log": "' + b"z" * 1_000_000 + b'"}\n')
    for line in sys.stdin.buffer:
        obey(json.loads(line))


main()
