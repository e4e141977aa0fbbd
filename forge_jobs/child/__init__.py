"""How does a Python program become a child of a pool?"""

from forge_jobs.child.serving import progress, serve

__all__ = ["progress", "serve"]
