"""Proposals without a project: JSON that `--proposer files:` reads, or a table that `import --format csv` reads."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os.path import relpath
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from annotator.cli.support.output import progress
from annotator.files.photo_paths import read_ahead
from annotator.hand.joints import JOINT_NAMES

if TYPE_CHECKING:
    import numpy as np

    from annotator.cli.support.proposing import Done
    from annotator.hand.mesh import HandMesh
    from annotator.model import Model
    from annotator.proposers import Proposer

# What reads the table takes a keypoint of full weight for one that a person confirmed.
SUREST = 0.99
COLUMNS = ["photo", "side", "confidence", *(f"{name}_{axis}" for name in JOINT_NAMES for axis in "xyv"), "units"]


def by_model(model: Model, files: Sequence[Path], done: Done, batch: int) -> Iterator[tuple[Path, list[HandMesh]]]:
    """Each photo and its hands; those that cannot be read go into `done.failed` and are said."""
    waiting: list[Path] = []

    def decoded() -> Iterator[np.ndarray]:
        for path, photo, why in progress(read_ahead(files, _read), "propose", len(files)):
            if photo is None:
                done.fail(path, why)
            else:
                waiting.append(path)
                yield photo

    for hands in model.propose_many(decoded(), batch=batch):
        yield _counted(done, waiting.pop(0), hands)


def by_proposer(proposer: Proposer, files: Sequence[Path], done: Done) -> Iterator[tuple[Path, list[HandMesh]]]:
    """`by_model` by any `Proposer`."""
    from annotator.errors import InputError

    for path in progress(files, "propose", len(files)):
        _, photo, why = _read(path)
        if photo is None:
            done.fail(path, why)
            continue
        try:
            hands = proposer.propose(photo, path=path)
        except InputError as error:
            done.fail(path, str(error))
        else:
            yield _counted(done, path, hands)


def row_of(path: Path, hand: HandMesh) -> dict[str, Any]:
    """A hand for JSON, in the fields of docs/bring-your-own-network.md, and its keypoints (21,2) px and joints (21,3)
    m. The surface's offsets from the hand model's are left out."""
    low, high = hand.keypoints.min(0), hand.keypoints.max(0)

    def numbers(values, digits: int) -> list:
        return values.round(digits).tolist()

    return {
        "photo": str(path), "side": hand.side, "confidence": round(hand.confidence, 4),
        "box": numbers(low, 2) + numbers(high, 2), "K": hand.camera.tolist(),
        "pose": numbers(hand.parameters.pose, 6), "shape": numbers(hand.parameters.shape, 6),
        "wrist": numbers(hand.joints[0], 6), "keypoints": numbers(hand.keypoints, 3),
        "keypoint_sigma": numbers(hand.keypoint_sigma, 3), "joints": numbers(hand.joints, 6),
    }  # fmt: skip


class Table:
    """The CSV table, a hand a row, written as hands come. Photos are named as seen from its folder (None: in full)."""

    def __init__(self, file: IO[str], folder: Path | None):
        self._folder = folder
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def add(self, path: Path, hand: HandMesh) -> None:
        """One more hand."""
        sure = min(round(hand.confidence, 2), SUREST)
        places = [value for x, y in hand.keypoints.round(2).tolist() for value in (x, y, sure)]
        name = str(path.absolute())
        if self._folder is not None and path.absolute().is_relative_to(self._folder):
            name = relpath(path.absolute(), self._folder)
        self._rows.writerow([name, hand.side, round(hand.confidence, 4), *places, "px"])


@contextmanager
def table(target: str) -> Iterator[Table]:
    """The table in a file, which is there when it is whole, or on stdout (`-`). InputError: it cannot be written."""
    if target == "-":
        yield Table(sys.stdout, None)
        return

    from annotator.files.atomic import put
    from annotator.files.folders import scratch_folder

    path = Path(target).absolute()
    with scratch_folder() as folder:
        part = folder / "table.csv"
        with part.open("w", encoding="utf-8", newline="") as file:
            yield Table(file, path.parent)
        put(path, lambda partial: partial.write_bytes(part.read_bytes()))


def _read(path: Path) -> tuple[Path, np.ndarray | None, str]:
    from annotator.errors import InputError
    from annotator.vision.photos import read_photo

    try:
        return path, read_photo(path), ""
    except InputError as error:
        return path, None, str(error)


def _counted(done: Done, path: Path, hands: list[HandMesh]) -> tuple[Path, list[HandMesh]]:
    done.photos += 1
    done.photos_with_hand += bool(hands)
    done.hands += len(hands)
    return path, hands
