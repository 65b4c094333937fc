"""Depth by hand: the picture from the side with its keypoints, and the list of what was said."""
