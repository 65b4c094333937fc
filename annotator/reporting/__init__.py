"""Hands as pictures for people: one sheet of a hand, and HTML pages of a whole project. No network, no display."""
