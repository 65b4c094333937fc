"""Rendered photos of hands with exact keypoints: poses, scenes, skin, solids, shards."""
