"""How does `runjobs` start, stop and replace processes?"""
