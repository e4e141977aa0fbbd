"""What may an operator see, and do to many jobs at once?"""
