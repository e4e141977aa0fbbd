"""What runs, and what does it come to?"""
