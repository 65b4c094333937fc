"""Where a hand is: photos, the palm detector, crops, cameras."""
