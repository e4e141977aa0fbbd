"""How does a child begin, talk and end?"""
