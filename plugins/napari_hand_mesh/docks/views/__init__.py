"""The photos that other cameras took at the same moment."""
