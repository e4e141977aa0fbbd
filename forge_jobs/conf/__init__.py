"""What do settings and code declare?"""

from forge_jobs.conf.settings import Router, Settings, conf

__all__ = ["Router", "Settings", "conf"]
