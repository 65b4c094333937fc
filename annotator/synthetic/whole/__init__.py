"""Whole synthetic photos: hands, bare or gloved, cut out of renders and laid over backgrounds."""
