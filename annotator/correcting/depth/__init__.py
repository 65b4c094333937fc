"""What a photo alone does not say of a hand: how far away its joints are, and which other hands look the same."""
