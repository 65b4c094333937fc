"""Where hands are: palm network, landmark network, scans of a photo, crops in which a hand points up; the quick way."""
