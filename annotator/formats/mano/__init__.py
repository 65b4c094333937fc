"""A user's own MANO file as a hand model, and records refitted to another hand model."""
