"""Natural and wide hand poses."""
