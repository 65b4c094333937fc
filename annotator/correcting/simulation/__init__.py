"""Simulated annotators: how people click, what their corrections gain, what many runs say together."""
