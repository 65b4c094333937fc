"""Commands that bring data in and out: data sets and hand models."""
