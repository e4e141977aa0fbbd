"""Texts become vectors, on a GPU where there is one: an app for a project with `forge_jobs`."""
