"""The model card as Markdown, from what a checkpoint says of itself.

    python -m annotator.learning.model_card [CHECKPOINT] > docs/model-card.md
"""

from __future__ import annotations

import sys

from annotator.network.checkpoint import checkpoint_digest, load_checkpoint


def markdown(path: str | None = None) -> str:
    """The card of a checkpoint; None is the embedded default."""
    network, card = load_checkpoint(path)
    parameters = sum(p.numel() for p in network.parameters())
    lines = [
        f"# Model card: {card.get('name', 'checkpoint')} ({checkpoint_digest(network)})",
        "",
        f"GLFNet, {parameters / 1e6:.1f} M parameters; hand model `{network.hand.name}` ({network.hand.digest[:12]}).",
        "",
        "| | |",
        "| --- | --- |",
    ]
    for name, value in card.items():
        if not isinstance(value, dict):
            lines.append(f"| {name} | {value} |")
    for name, value in card.get("data", {}).items():
        lines.append(f"| data: {name} | {value} |")
    for title, rows in card.get("scores", {}).items():
        columns = list(dict.fromkeys(column for row in rows.values() for column in row))
        lines += ["", f"## {title}", "", "| estimate | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
        for estimate, row in rows.items():
            lines.append(f"| {estimate} | " + " | ".join(f"{row[c]:.4g}" if c in row else "" for c in columns) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(sys.argv[1] if len(sys.argv) > 1 else None), end="")
