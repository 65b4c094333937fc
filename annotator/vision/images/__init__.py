"""Image files: opened, judged, decoded, and written without what they say beside the picture."""
