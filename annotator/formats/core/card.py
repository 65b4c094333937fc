"""What every export says about itself: a card to read, the same for programs, and checksums."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from annotator import __version__
from annotator.formats.core.base import LabelledHand
from annotator.hand.joint_states import BY_A_PERSON

CARD, README, SUMS = "card.json", "README.md", "SHA256SUMS"
NOT_STATED = "not stated: ask who made the photos"


class Tally:
    """Counts over records, in memory that does not grow with them."""

    def __init__(self) -> None:
        self.hands = 0
        self.counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("state", "side", "joint_state", "hand_model", "model_digest")
        }
        self._sums: Any = Counter()  # of floats

    def mark(self) -> dict:
        """All of it, JSON-ready, for `Tally.of`."""
        return {"hands": self.hands, "counts": self.counts, "sums": self._sums}

    @classmethod
    def of(cls, mark: dict | None) -> Tally:
        """The tally that gave this mark; None: a new one."""
        tally = cls()
        if mark is not None:
            tally.hands, tally._sums = mark["hands"], Counter(mark["sums"])
            tally.counts = {name: Counter(counts) for name, counts in mark["counts"].items()}
        return tally

    def add(self, record: LabelledHand) -> None:
        self.hands += 1
        # a mirrored sample is of the side that its photo shows
        self.counts["side"][str(record.provenance.get("side", record.side))] += 1
        self.counts["state"][record.state or "unknown"] += 1
        self.counts["joint_state"].update(record.states)
        self.counts["hand_model"][record.hand_model or "none"] += 1
        self.counts["model_digest"][str(record.provenance.get("model_digest", "unknown"))] += 1
        self._sums["weights"] += float(record.weights.mean())
        if record.keypoint_sigma is not None:
            size = max(float(np.ptp(record.box.reshape(2, 2), axis=0).max()), 1e-9)
            self._sums["sigma"] += float(np.median(record.keypoint_sigma)) / size
            self._sums["with_sigma"] += 1
        if "refit" in record.provenance:
            left = record.provenance["refit"]
            self._sums["refitted"] += 1
            self._sums["joints_mm"] += left["joints_mm"]
            self._sums["surface_mm"] += left["surface_mm"]
            self._sums["worst_joints_mm"] = max(self._sums["worst_joints_mm"], left["joints_mm"])

    def summary(self, name: str, licence: str) -> dict:
        """JSON-ready: counts, licence, quality."""
        many = max(self.hands, 1)
        quality = {"mean_weight": self._sums["weights"] / many}
        if self._sums["with_sigma"]:
            quality["median_sigma_of_box"] = self._sums["sigma"] / self._sums["with_sigma"]
        if self._sums["refitted"]:
            for place in ("joints_mm", "surface_mm"):
                quality[f"refit_{place}"] = self._sums[place] / self._sums["refitted"]
            quality["refit_worst_joints_mm"] = self._sums["worst_joints_mm"]
        person = sum(self.counts["joint_state"][state] for state in BY_A_PERSON)
        quality["share_of_keypoints_by_a_person"] = person / (21 * many)
        return {
            "format": name,
            "code_version": __version__,
            "hands": self.hands,
            "licence": licence or NOT_STATED,
            **{f"by_{name}": dict(sorted(counter.items())) for name, counter in self.counts.items()},
            "quality": quality,
        }


def finish(
    folder: Path, tally: Tally, name: str, licence: str = "", head: str = "", without: Collection[Path] = ()
) -> dict:
    """Write card.json, README.md and SHA256SUMS (of all files but `without`); the summary. head: lines for README.md's
    YAML front matter."""
    summary = tally.summary(name, licence)
    (folder / CARD).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    (folder / README).write_text(_page(summary, head), encoding="utf-8")
    with (folder / SUMS).open("w", encoding="utf-8") as file:
        skipped = {SUMS, *(path.relative_to(folder).as_posix() for path in without)}
        for name in _files(folder):
            if name in skipped:
                continue
            with (folder / name).open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            file.write(f"{digest}  {name}\n")
    return summary


def _files(folder: Path, below: str = "") -> Iterator[str]:
    """Names of all files, sorted folder by folder: one folder's names are held at a time, as plain text."""
    for name in sorted(os.listdir(folder / below)):
        if (folder / below / name).is_dir():
            yield from _files(folder, f"{below}{name}/")
        else:
            yield below + name


def _page(summary: dict, head: str) -> str:
    lines = [f"---\n{head.strip()}\n---\n"] if head else []
    lines += [
        f"# {summary['hands']} hands, format {summary['format']}",
        "",
        f"Written by hand-mesh-annotator {summary['code_version']}. Licence of the photos and labels: "
        f"{summary['licence']}.",
        "",
    ]
    for name, counts in ((n, c) for n, c in summary.items() if n.startswith("by_")):
        lines += [f"| {name[3:].replace('_', ' ')} | count |", "| --- | --- |"]
        lines += [f"| {key} | {count} |" for key, count in counts.items()] + [""]
    lines += ["| quality | |", "| --- | --- |"]
    lines += [f"| {key.replace('_', ' ')} | {value:.4g} |" for key, value in summary["quality"].items()]
    lines += [
        "",
        "Joint states: corrected and confirmed keypoints are a person's; proposed ones a network's, with a weight of "
        "at "
        "most 0.5. Units: pixels (centres at .0), metres. `sha256sum -c SHA256SUMS` checks the files.",
        "",
    ]
    return "\n".join(lines)
