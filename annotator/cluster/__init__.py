"""The same work on many machines, on Ray: Ray Data for photos and hands, Ray Train for learning. A door, like the CLI.

Nothing here computes anything of its own: workers call the functions that a single machine calls.
"""

from annotator.cluster.engine import Engine, parse_engine

__all__ = ["Engine", "parse_engine"]
