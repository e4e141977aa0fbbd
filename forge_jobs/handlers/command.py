"""Jobs that are commands: a program that is allowed, started for each job and never by a shell."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

from forge_jobs.children.child import Child
from forge_jobs.children.folder import held
from forge_jobs.exceptions import InvalidHandler, InvalidPayload
from forge_jobs.handlers.execution import Execution
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.order import Order, refused
from forge_jobs.handlers.outcomes import Dead, Failed, Outcome
from forge_jobs.handlers.registry import HandlerOptions, give
from forge_jobs.wording import listed, quoted

if TYPE_CHECKING:
    from forge_jobs.context import JobContext

INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""What a program gets of the environment of `runjobs`, which holds secrets, too."""


class Command(JobHandler):
    """Runs `{"argv", "env", "cwd", "stdin", "timeout_secs"}`; all but `argv` may be left out.

    The program must be one of `allow`: names that are looked up in `PATH`, or absolute paths. A
    job may set the variables named in `env`, and choose a `cwd` within `root`; without a `root`
    it may choose none. With `open_to_others` it can be enqueued from outside of the project.

    The other options are those of `@job`. Raises `InvalidHandler`, which names the `field`.
    """

    ends_itself = True

    def __init__(
        self,
        kind: str,
        *,
        allow: Collection[str],
        root: str | os.PathLike[str] | None = None,
        env: Collection[str] = (),
        open_to_others: bool = False,
        **options: Unpack[HandlerOptions],
    ) -> None:
        self.kind = kind
        self.allow = self._names(allow, field="allow")
        self.variables = self._names(env, field="env")
        for name in self.allow:
            if "/" in name and not os.path.isabs(name):
                self._refuse("allow", f"has {name!r}, which is neither a name nor an absolute path")
        if not self.allow:
            self._refuse("allow", "must name the programs that jobs may run")
        if not (root is None or isinstance(root, str | os.PathLike)):
            self._refuse("root", f"must be a folder, not {quoted(root)}")
        if not isinstance(open_to_others, bool):
            self._refuse("open_to_others", f"must be True or False, not {quoted(open_to_others)}")
        self.root = None if root is None else Path(root)
        self.open_to_others = open_to_others
        give(self, options, by="Command()", also=("kind", "allow", "root", "env"))

    def __repr__(self) -> str:
        return f"<command {self.kind}>"

    def check(self, payload: dict[str, Any]) -> None:
        self._order(payload)

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> Outcome:
        try:
            order = self._order(payload)  # what is allowed may have changed
            with self._folder(order.cwd) as folder:
                child = self._started(order, folder)
        except InvalidPayload as error:
            return Dead(str(error))
        except OSError as error:
            return Failed(f"{payload['argv'][0]} can't be started: {error}.")
        limits = [limit for limit in (order.timeout_secs, ctx.job.timeout_seconds) if limit]
        try:
            timeout = min(limits, default=None)
            return Execution(ctx, child, stdin=order.stdin, timeout=timeout).follow()
        finally:
            child.kill()

    def _order(self, payload: dict[str, Any]) -> Order:
        """Raises `InvalidPayload`."""
        order = Order.read(payload)
        if order.argv[0] not in self.allow:
            raise refused(
                f"names the program {quoted(order.argv[0])}; {self.kind} allows "
                f"{listed(sorted(self.allow))}"
            )
        if unknown := sorted(order.env.keys() - self.variables):
            raise refused(
                f"sets {quoted(unknown[0])}; {self.kind} allows the variables "
                f"{listed(sorted(self.variables))}"
            )
        if order.cwd and self.root is None:
            raise refused(f"has a cwd; {self.kind} has no root to choose it in")
        return order

    @contextmanager
    def _folder(self, cwd: str) -> Iterator[Path | None]:
        """Where the program starts, in the meantime; raises `InvalidPayload` and `OSError`."""
        if self.root is None:
            yield None
            return
        root = self.root.resolve()
        why = f"has the cwd {quoted(cwd)}, which leads out of the root of {self.kind}"
        if not Path(os.path.realpath(root / cwd)).is_relative_to(root):
            raise refused(why)  # before anybody is told what there is
        with held(root / cwd) as (place, handle):
            if not place.is_relative_to(root):  # a link has been put there meanwhile
                raise refused(why)
            yield handle

    def _started(self, order: Order, folder: Path | None) -> Child:
        """Raises `OSError`."""
        name = order.argv[0]
        path = search_path()
        if (executable := shutil.which(name, path=path)) is None:
            raise FileNotFoundError(f"there is no such program in {path}")
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        inherited["PATH"] = path
        return Child(
            order.argv, environment={**inherited, **order.env}, cwd=folder, executable=executable
        )

    def _names(self, given: object, *, field: str) -> frozenset[str]:
        is_several = isinstance(given, Collection) and not isinstance(given, str | bytes)
        if not is_several or not all(isinstance(one, str) and one for one in given):  # type: ignore[attr-defined] # it is
            self._refuse(field, f'must be names, such as ["convert"], not {quoted(given)}')
        return frozenset(given)  # type: ignore[call-overload, no-any-return] # they are

    def _refuse(self, option: str, why: str) -> None:
        raise InvalidHandler(f"{option} of {self.kind} {why}.", field=option)


def search_path() -> str:
    """That of this process without relative folders: jobs start in such, and may leave programs."""
    return os.pathsep.join(filter(os.path.isabs, os.get_exec_path()))
