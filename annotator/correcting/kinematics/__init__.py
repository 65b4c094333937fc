"""How joints and points of the skin of a posed hand move with its joint angles and shape."""
