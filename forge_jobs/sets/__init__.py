"""Which jobs belong together, and what do the runs of one hand on to each other?"""
