"""How does a job come in?"""
