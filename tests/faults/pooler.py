"""A PgBouncer in transaction pooling mode, in front of whichever server a test names."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.servers import LOCALHOST, free_port, unprivileged_user
from tests.running import PATIENCE, eventually

SETTINGS = """
[databases]
* = host='{server_host}' port={server_port} user='{user}'

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits,options
; A server that comes back is found at once, not after the default of fifteen seconds.
server_login_retry = 0.2
"""


def is_missing() -> str:
    """Why there can be no pooler here, and what helps; empty if there can be."""
    return "" if _program() else "PgBouncer is missing: apt-get install pgbouncer"


@contextmanager
def pooler(server_host: str, server_port: int | str, user: str) -> Iterator[str]:
    """The URL of the database `postgres` behind a pooler, which accepts connections by now.

    Other databases of the server are reached by their names. `server_host` may be the folder of
    a Unix socket, `user` is the name that all connections log in with.
    """
    port = free_port()
    settings = SETTINGS.format(
        server_host=server_host, server_port=server_port, user=user, host=LOCALHOST, port=port
    )
    if os.geteuid() == 0:
        settings += f"user = {unprivileged_user()}\n"

    with tempfile.TemporaryDirectory(prefix="forge_jobs-pooler-") as folder:
        log = Path(folder) / "log"
        path = Path(folder) / "pgbouncer.ini"
        path.write_text(settings)
        with log.open("w") as output:
            process = subprocess.Popen([_program(), str(path)], stdout=output, stderr=output)
        try:
            eventually(lambda: process.poll() is not None or _is_open(port))
            assert process.poll() is None, log.read_text()
            yield f"postgresql://{user}@{LOCALHOST}:{port}/postgres"
        finally:
            process.kill()
            process.wait(PATIENCE)


def _program() -> str:
    """PgBouncer; Debian installs it where only root looks for programs. Empty if missing."""
    return shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer") or ""


def _is_open(port: int) -> bool:
    try:
        socket.create_connection((LOCALHOST, port), timeout=1).close()
    except OSError:
        return False
    return True
