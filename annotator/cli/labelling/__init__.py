"""Commands that make hands and label them."""
