"""A project's safety: what is checked, repaired, found again and kept."""
