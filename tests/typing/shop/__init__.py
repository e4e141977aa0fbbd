"""A user's project, to be looked at by type checkers alone: nothing of it is ever run.

`# expect error: …` says what is wrong with the line below it; `# expect plugin error: …` what is
only seen with the plugin of django-stubs. All else is right.
"""
