"""Published code of tools and data sets, from checkouts, on our files and beside our readers: a module for each.

`other_readers.py` runs them. Nothing of theirs is kept here.
"""
