"""A pool whose program is not there."""

from forge_jobs import register
from forge_jobs.handlers import SubprocessPool

register(SubprocessPool("tests.broken", ["/nowhere/at-all"]))
