"""Tables that README.md and docs hold, made from the registries: `python docs/tables.py` (`--check`: only compare).

A table stands between `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from annotator.cli.registry import TABLE as COMMANDS
from annotator.formats.table import FORMATS, READERS, WRITERS
from annotator.hand.model import HANDS
from annotator.network.encoders.registry import ENCODERS
from annotator.proposers import PROPOSERS
from annotator.registry import Registry
from annotator.rounds.selection.strategies import STRATEGIES

ROOT = Path(__file__).resolve().parents[1]
REGISTRIES: tuple[Registry, ...] = (FORMATS, ENCODERS, HANDS, STRATEGIES, PROPOSERS, COMMANDS)


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def commands() -> str:
    known = {"writers": " ".join(WRITERS), "readers": " ".join(READERS)}
    rows = []
    for one in COMMANDS.built_in.values():
        said = re.sub(r"\{(\w+)\}", lambda found: known[found[1]], one.summary)
        rows.append([f"`{f'annotator {one.name} {one.usage}'.strip()}`", said])
    return markdown(["command", "does"], rows)


def formats() -> str:
    head = ["format", "out", "in", "label files", "photos", "left hands", "MANO fields with the free hand",
            "extra package"]  # fmt: skip
    rows = (
        [
            f"`{one.name}`",
            "yes" if one.writes else "",
            one.reading if one.reads else "",
            " ".join(f"`{suffix}`" for suffix in one.suffixes),
            one.photos,
            one.left,
            one.without_mano,
            one.extra,
        ]
        for one in FORMATS.built_in.values()
    )
    return markdown(head, rows)


def registries() -> str:
    parts = []
    for table in REGISTRIES:
        rows = [[f"`{one.name}`", plain(one.summary)] for one in table.built_in.values()]
        parts.append(f"### {table.what}, group `{table.group}`\n\n" + markdown([table.what, "what it is"], rows))
    return "\n".join(parts)


def plain(summary: str) -> str:
    return re.sub(r"\{(\w+)\}", "see `docs/formats.md`", summary).replace("\n", " ")


# what a benchmark asks -> its scripts
BENCHMARKS = {
    "How true the proposals are": "mesh_truth two_cameras sign_truth outlines real_keypoints rotation reliability "
    "out_of_domain finding small_hands scenes lost_hands worst ablation supervision model_card",
    "What corrections do": "corrections definitions solver_corrections two_view_corrections absurd_corrections",
    "What more evidence is worth": "depth rigs spoilt_views subjects subjects_two_cameras",
    "Video": "tracks",
    "Learning from people": "active_learning active_rounds real_round disagreement pseudo_labels",
    "How fast, how large": "throughput quick scaling refine_time cluster serving large_project export_memory report "
    "plugin_latency plugin_large_project plugin_long_video plugin_first_use plugin_rendered memory",
    "Under attack, under load": "soak faults damage kill_commands kill_store fuzz fuzz_guided hostile_files "
    "hostile_requests",
    "Beside other people's code": "other_readers tool_readers",
}


def benchmarks() -> str:
    """One table a question; a script is a file of `benchmarks` that is run by itself."""
    parts = []
    for question, names in BENCHMARKS.items():
        rows = [[f"`{name}.py`", asks(ROOT / "benchmarks" / f"{name}.py")] for name in names.split()]
        parts.append(f"### {question}\n\n" + markdown(["script", "what it asks"], rows))
    return "\n".join(parts)


def asks(script: Path) -> str:
    """The first paragraph's first line or two of a script's docstring, without its command."""
    said = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
    return re.sub(r":? *`python [^`]*`", "", " ".join(said.split())).rstrip(".:")


PLACES: dict[str, tuple[str, Callable[[], str]]] = {
    "commands": ("README.md", commands),
    "formats": ("docs/formats.md", formats),
    "registries": ("docs/extending.md", registries),
    "benchmarks": ("benchmarks/README.md", benchmarks),
}


def with_table(text: str, name: str, table: str) -> str:
    """The page with its table renewed. ValueError: it has no place for one."""
    pattern = rf"(<!-- table: {name} -->\n\n).*?(\n<!-- end -->)"
    renewed, count = re.subn(pattern, lambda found: found[1] + table + found[2], text, flags=re.S)
    if count != 1:
        raise ValueError(f"expected one place for the table {name!r}, found {count}")
    return renewed


def main(check: bool) -> int:
    stale = []
    for name, (page, make) in PLACES.items():
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        renewed = with_table(text, name, make())
        if renewed != text:
            stale.append(page)
            if not check:
                path.write_text(renewed, encoding="utf-8")
    print("stale: " + ", ".join(stale) if check and stale else f"{len(stale)} pages renewed" if stale else "up to date")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
