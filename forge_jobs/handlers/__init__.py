"""What runs, and what does it come to?"""

from forge_jobs.handlers.command import Command
from forge_jobs.handlers.pool import SubprocessPool

__all__ = ["Command", "SubprocessPool"]
