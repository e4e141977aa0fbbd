"""What fires, and who says so?"""
