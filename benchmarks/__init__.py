"""Measures forge_jobs beside its peers and beside bare SQL, in one run on one machine."""
