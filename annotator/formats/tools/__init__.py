"""Files of tools that people annotate with."""
