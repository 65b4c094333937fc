"""Calls of the operating system that fail, and the projects whose commands meet them, for `faults.py`."""
