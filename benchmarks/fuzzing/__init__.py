"""Hostile insides of sound containers, for `fuzz.py`: makers of files, and the parsers that must stand them."""
