"""A track as curves over time: smoothed, and bridged where the hand was not seen."""
