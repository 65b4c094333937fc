"""The rooms and what each uses, read from the imports: `python docs/architecture_picture.py` writes architecture.svg.

An arrow points from a room to one that it uses; what follows from other arrows is left out. `--check`: only compare.
"""

from __future__ import annotations

import ast
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"
PLUGIN, PLUGIN_PACKAGE = "napari plugin", "napari_hand_mesh"
WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 118, 34, 146, 92, 20  # px: of a box, from one to the next, round the picture


def room(module: str) -> str | None:
    """The room that a module is in: a folder or file of `annotator`, or the plugin; None: another package's."""
    package, *inside = module.split(".")
    if package == PLUGIN_PACKAGE:
        return PLUGIN
    return inside[0] if package == "annotator" and inside else None


def uses() -> dict[str, set[str]]:
    """Room -> the rooms that it imports from."""
    places = [(ROOT / "annotator", "annotator"), (ROOT / "plugins" / PLUGIN_PACKAGE, PLUGIN_PACKAGE)]
    files = [
        (path, ".".join((package, *path.relative_to(folder).with_suffix("").parts)))
        for folder, package in places
        for path in sorted(folder.rglob("*.py"))
    ]
    folders = {room(module) for path, module in files if path.parent != ROOT / "annotator"} | {"model"}
    found: dict[str, set[str]] = {name: set() for name in sorted(filter(None, folders))}
    for path, module in files:
        own = room(module)
        if own not in found:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found[own] |= {other for name in names if (other := room(name)) in found and other != own}
    return found


def depths(graph: dict[str, set[str]]) -> dict[str, int]:
    """Room -> the length of the longest way down from it."""
    known: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in known:
            known[name] = 1 + max((depth(other) for other in graph[name]), default=-1)
        return known[name]

    for name in graph:
        depth(name)
    return known


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without arrows that follow from others."""

    def below(name: str) -> set[str]:
        return graph[name].union(*(below(other) for other in graph[name]))

    return {name: {o for o in others if not any(o in below(p) for p in others - {o})} for name, others in graph.items()}


def svg() -> str:
    graph = uses()
    depth, arrows = depths(graph), reduced(graph)
    rows: dict[int, list[str]] = {}
    for name in sorted(graph):
        rows.setdefault(depth[name], []).append(name)
    widest = max(map(len, rows.values()))
    places = {
        name: (EDGE + (k + (widest - len(row)) / 2) * ACROSS, EDGE + (max(rows) - level) * DOWN)
        for level, row in rows.items()
        for k, name in enumerate(row)
    }
    width, height = 2 * EDGE + (widest - 1) * ACROSS + WIDTH, 2 * EDGE + max(rows) * DOWN + HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="14">',
        '<marker id="tip" markerWidth="9" markerHeight="9" refX="8" refY="4" orient="auto">'
        '<path d="M0 0 L9 4 L0 8 Z" fill="#556"/></marker>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for name, others in sorted(arrows.items()):
        x, y = places[name]
        for other in sorted(others):
            a, b = places[other]
            from_, to = (x + WIDTH / 2, y + HEIGHT), (a + WIDTH / 2, b)
            bend = (to[1] - from_[1]) / 2
            # an arrow past other rows keeps to the gap between boxes
            aside = (ACROSS / 2 + 30 if to[0] >= from_[0] else -ACROSS / 2 - 30) if b - y > DOWN else 0.0
            parts.append(
                f'<path d="M{from_[0]:g} {from_[1]:g} C{from_[0] + aside:g} {from_[1] + bend:g} '
                f'{to[0] + aside:g} {to[1] - bend:g} {to[0]:g} {to[1]:g}" '
                f'fill="none" stroke="{"#9ab" if aside else "#557"}" marker-end="url(#tip)"/>'
            )
    for name, (x, y) in sorted(places.items()):
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#eef3fb" stroke="#46a"/>'
            f'<text x="{x + WIDTH / 2:g}" y="{y + 22:g}" text-anchor="middle" fill="#123">{escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def main(check: bool) -> int:
    made = svg()
    if check:
        return int(not PICTURE.is_file() or PICTURE.read_text(encoding="utf-8") != made)
    PICTURE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
