"""Metrics, the official protocols, bootstrap means: what learning, correcting, rounds and benchmarks score with."""
