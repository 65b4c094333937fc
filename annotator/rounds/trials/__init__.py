"""Hands and projects of known truth to try corrections and rounds on."""
