"""How detection learns of gloves and of hands that hold things: the palm network, and the look that confirms."""
