"""Who may ask a server for what, how much of it, and what is written down about it."""
