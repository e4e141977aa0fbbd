"""Which runs and jobs belong together."""
