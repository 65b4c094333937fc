"""Makers of the packaged assets (hand model, converted weights): run once by hand, never by the library."""
