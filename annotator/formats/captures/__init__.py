"""Data sets of hands that were recorded with several cameras or from the head."""
