"""Commands that are programs of their own: the demonstration, the window, the HTTP service."""
