"""The one exception that means 'what was given cannot be used'."""

from __future__ import annotations


class InputError(ValueError):
    """Wrong use or bad input: a missing file, a broken image, NaN, a wrong shape.

    The message names the thing and says what was expected. The command line prints it as one line and exits with 2.
    """
