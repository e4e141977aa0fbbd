"""How does a worker run a job?"""
