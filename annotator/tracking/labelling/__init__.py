"""Labels over time: what a person corrected in some frames, carried through a track; and which frame comes next."""
