"""Which hands and keypoints to ask for."""
