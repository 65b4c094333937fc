"""The solver for one hand in several photos: labels and proposals as residuals, bone lengths, descent, result."""
