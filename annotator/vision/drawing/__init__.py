"""Meshes and keypoints drawn on photos, and what of a mesh the camera sees."""
