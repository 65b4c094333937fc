"""A keypoint under the mouse, or chosen by keys: what is said of it, how it is moved."""
