"""Which jobs does a process take, and when?"""
