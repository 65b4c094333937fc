"""Hostile files and what reads them in a fork with limits, for `hostile_files.py` and `fuzz.py`."""
