"""Cut-out hands kept on disk, each beside its twin that is bare and holds nothing, to be laid into many pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from annotator.files.serialization.npz_arrays import read_npz, write_npz
from annotator.synthetic.whole.cutouts import Cutout, Wanted, Workshop
from annotator.synthetic.whole.photos import extent

# what the cutouts of a bank show, and which share of it
KINDS = {
    "glove": (0.48, Wanted(glove=1.0, twins=True)),
    "held": (0.28, Wanted(glove=0.5, held=1.0, twins=True)),
    "touching": (0.24, Wanted(glove=0.4, touching=1.0, twins=True)),
}
SMALLEST = 15.0  # px: hands that are smaller in their render are left out
SHOWN = 0.35  # least share of a hand that is seen where it is to be found


def write_bank(folder: Path, count: int, seed: int, size: int = 288) -> None:
    """Render a bank of about `count` cutouts into `folder`, one file for each kind; kinds that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    workshop = None
    for number, (kind, (share, wanted)) in enumerate(KINDS.items()):
        path = folder / f"{kind}.npz"
        if path.exists():
            continue
        workshop = workshop or Workshop(size)
        arrays: dict[str, np.ndarray] = {}
        for at, cutout in enumerate(workshop.cutouts(round(share * count), 100 * seed + number, wanted)):
            if extent(cutout) >= SMALLEST:
                arrays |= {f"{at:05d}.{name}": value for name, value in _packed(cutout).items()}
        write_npz(path, arrays, compressed=True)


def read_bank(folder: Path, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Cutout]:
    """The cutouts of these kinds. InputError if one's file is missing or damaged."""
    cutouts = []
    for kind in kinds:
        path = folder / f"{kind}.npz"
        arrays = read_npz(path, None, "is missing or damaged: the bank of cut-out hands is not complete")
        for name in sorted({key.split(".")[0] for key in arrays}):
            front, bare = arrays[f"{name}.front"], arrays[f"{name}.bare"]
            points, right, shown = (arrays[f"{name}.{part}"] for part in ("keypoints", "right", "shown"))
            twin = (bare[..., :3], bare[..., 3])
            cutouts.append(Cutout(front[..., :3], front[..., 3], points, right, shown, twin))
    return cutouts


def _packed(cutout: Cutout) -> dict[str, np.ndarray]:
    """The part of a cutout where it or its twin shows something."""
    assert cutout.bare is not None
    rows, columns = np.nonzero(np.maximum(cutout.cover, cutout.bare[1]))
    part = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    return {
        "front": np.dstack([cutout.colour, cutout.cover])[part],
        "bare": np.dstack(cutout.bare)[part],
        "keypoints": cutout.keypoints - (columns.min(), rows.min()),
        "right": cutout.right,
        "shown": cutout.shown,
    }
