"""Which jobs belong together?"""
