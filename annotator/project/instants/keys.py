"""Where `meta` keeps rigs and instants: a key for each rig, instant, photo of one and hand that is one mesh."""

from __future__ import annotations

RIG, INSTANT, MOMENT, MESH = "rig ", "instant ", "moment of ", "one mesh "


def kept(values: dict[str, str]) -> dict[str, str]:
    """Those of `meta`'s rows that are of rigs and instants."""
    return {key: value for key, value in values.items() if key.startswith((RIG, INSTANT, MOMENT, MESH))}
