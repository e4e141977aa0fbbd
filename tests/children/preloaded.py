"""What a child loads before its first job."""
