"""How photos, proposals and labels come into a project."""
