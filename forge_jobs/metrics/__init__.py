"""How are runs counted and timed?"""
