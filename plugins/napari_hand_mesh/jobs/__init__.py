"""Work beside the window: proposing, exporting, learning, thumbnails."""
