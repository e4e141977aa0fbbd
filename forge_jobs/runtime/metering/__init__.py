"""What does a process tell of itself?"""
