"""Commands with which people label hands and judge them."""
