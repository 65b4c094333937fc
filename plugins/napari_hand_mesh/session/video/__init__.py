"""A video as a person goes through it: its tracks as lanes of frames, what is known of each, where to go next."""
