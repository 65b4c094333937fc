"""The models of a server, and how a newer one takes over."""
