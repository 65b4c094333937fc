"""What stands beside the photo: the other cameras' photos of the same moment, and whose hand it is."""
