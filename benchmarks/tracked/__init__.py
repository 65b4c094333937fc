"""The parts of `tracks.py`: what is measured of tracked videos, one part a module."""
