"""What keeps SQLite from holding jobs, and what makes it slow or unsafe."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs.db.sqlite import versions

OPTIONS: Final = """"OPTIONS": {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}"""
NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "afpfs", "ceph", "lustre", "fuse.sshfs",
     "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.gcsfuse"}
)  # fmt: skip


def faults(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    if sqlite3.sqlite_version_info < versions.MINIMUM:
        yield Error(
            f"SQLite {sqlite3.sqlite_version} is too old; forge_jobs needs 3.35 or newer.",
            id="forge_jobs.E006",
        )
        return
    if connection.settings_dict.get("TIME_ZONE"):
        yield Error(
            f"The SQLite database {connection.alias!r} has a TIME_ZONE of its own; forge_jobs "
            f"writes its moments in UTC.",
            hint="Remove TIME_ZONE from that database.",
            id="forge_jobs.E009",
        )
    yield from _modes(connection)
    yield from _place(connection)


def wal_reset_fault(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    if _journal_mode(connection) == "wal" and (fault := versions.wal_reset_fault()):
        yield checks.Warning(fault.text, hint=fault.remedy, id="forge_jobs.W005")


def _modes(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    hint = f"In DATABASES, give {connection.alias!r} these:\n{OPTIONS}"
    if (mode := _journal_mode(connection)) not in ("wal", "memory"):
        yield checks.Warning(
            f"The SQLite database {connection.alias!r} is in journal mode {mode!r}, in which "
            f"readers and writers block each other.",
            hint=hint,
            id="forge_jobs.W001",
        )
    options = connection.settings_dict.get("OPTIONS", {})
    if str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        yield checks.Warning(
            f"Transactions of the SQLite database {connection.alias!r} are deferred: one that "
            f"reads first fails with 'database is locked' if another writes meanwhile.",
            hint=hint,
            id="forge_jobs.W002",
        )


def _place(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA database_list")
        file = cursor.fetchone()[2]
    if file and (kind := _file_system_of(Path(file).resolve())) in NETWORK_FILE_SYSTEMS:
        yield checks.Warning(
            f"The SQLite database {connection.alias!r} lies on a network file system ({kind}): "
            f"processes of several machines would destroy it, and locks may not hold.",
            hint="Put it on a disk of this machine, or keep the jobs in PostgreSQL.",
            id="forge_jobs.W004",
        )


def _file_system_of(file: Path) -> str:
    """The type of the file system, in the system's word; empty if it does not say."""
    try:
        mounts = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    except (OSError, psutil.Error):
        return ""
    return next((mounts[str(folder)] for folder in file.parents if str(folder) in mounts), "")


def _journal_mode(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode: str = cursor.fetchone()[0]
    return mode
