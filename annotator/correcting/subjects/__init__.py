"""Subjects: the person whose hand it is. One shape for all their photos, and the sizes that a ruler says."""
