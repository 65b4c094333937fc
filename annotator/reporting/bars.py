"""Small bar charts as HTML: no picture, no script, no library in the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape

LONGEST = 150  # px of the longest bar


def bars(title: str, counts: Mapping[str, int]) -> str:
    """One bar a name, in the order given; nothing for counts that are all zero."""
    most = max(counts.values(), default=0)
    if not most:
        return ""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td><span class="bar" style="width: {LONGEST * count / most:.0f}px"></span></td>'
        f"<td>{count}</td></tr>"
        for name, count in counts.items()
    )
    return f"<div><h2>{escape(title)}</h2><table>{rows}</table></div>"


def binned(values: Iterable[float], edges: Sequence[float], form: str = "{:g}") -> dict[str, int]:
    """How many values lie from each edge to the next, the last edge open: {"0 to 0.1": 3, ..., "from 1": 0}."""
    counts: Counter[int] = Counter()
    for value in values:
        counts[max(sum(value >= edge for edge in edges) - 1, 0)] += 1
    names = [f"{form.format(a)} to {form.format(b)}" for a, b in zip(edges, edges[1:], strict=False)]
    return {name: counts[k] for k, name in enumerate([*names, f"from {form.format(edges[-1])}"])}


def most_common(counter: Counter[str], most: int = 12) -> dict[str, int]:
    """The largest counts, largest first, with words for people."""
    return {name.replace("_", " "): count for name, count in counter.most_common(most)}
