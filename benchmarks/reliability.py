"""Calibration: does an interval hold as many errors as it says? Prints the shares and draws the reliability plot.

    python benchmarks/reliability.py DATA/test DATA/real [--model CHECKPOINT] [--plot docs/reliability.png]

DATA/test is the frozen mesh-truth set (`mesh_truth.py`); the factors were fitted on another set, of
hands beyond the shape space (`annotator.learning.calibration`). The hands are those that `propose` gives,
boxes given. Keypoints of two-camera frames are compared with the reprojection of the triangulated ones; those of the
digits with the teacher's, to whose own output a proposal is drawn: their share says little.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from mesh_truth import COUNT, test_set
from tables import markdown

from annotator.hand.definitions import MEDIAPIPE
from annotator.learning.calibration import LEVELS, Ratios, centred_errors
from annotator.learning.data.photos import KeypointPhotos
from annotator.model import Model
from annotator.network.checkpoint import load_checkpoint
from annotator.rounds.trials.rendered_proposals import rendered_hands
from annotator.vision.crops import box_round

KNOWN = 0.3  # weight of a label from which on it is compared


def draw(found: dict[str, Ratios], path: Path) -> None:
    """Said against seen, one line a set."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    levels = np.linspace(0.05, 0.99, 48)
    figure, axis = plt.subplots(figsize=(5.2, 5.0), dpi=110)
    axis.plot([0, 1], [0, 1], color="0.6", lw=1, ls="--", label="as it should be")
    axis.fill_between([0.85, 0.95], 0.85, 0.95, color="0.9")
    for name, one in found.items():
        for what, shares in zip(("keypoints", "vertices"), one.shares(levels), strict=True):
            if not np.isnan(shares).any():
                axis.plot(levels, shares, lw=1.6, label=f"{what}, {name}")
    axis.set(xlabel="interval by the sigma", ylabel="share of errors within", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.legend(loc="upper left", fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(path)


def over_sigma(hands, truth) -> np.ndarray:
    """(S, 21) 2-D errors over the hands' sigmas; truth (S, 21, 2) in their photos' px."""
    return np.array(
        [
            np.linalg.norm(hand.keypoints - points, axis=1) / hand.keypoint_sigma
            for hand, points in zip(hands, truth, strict=True)
        ]
    )


def real_ratios(model: Model, photos: KeypointPhotos, most: int) -> np.ndarray:
    """Errors over sigmas of the keypoints that have a label, of `propose` with boxes. Labels are MediaPipe's, read by
    its own definition."""
    ratios = []
    for k in range(min(len(photos), most)):
        table = photos.table
        K = table.K[k] if np.isfinite(table.K[k]).all() else None
        (hand,) = model.propose(photos.photo(k), [box_round(table.keypoints[k])], [str(table.side[k])], K)
        truth, known = table.keypoints[k], table.weight[k] >= KNOWN
        if K is not None and np.isfinite(table.joints[k]).all():
            seen = table.joints[k] @ K.T
            truth, known = seen[:, :2] / seen[:, 2:], table.joint_weight[k] >= KNOWN
        ratios.append(over_sigma([hand], [MEDIAPIPE.as_ours(truth, hand)])[0][known])
    return np.concatenate(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("test", type=Path)
    parser.add_argument("real", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--photos", type=int, default=200, help="of each real set, at most")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    network, _ = load_checkpoint(arguments.model)
    model = Model(network)
    test_set(arguments.test)
    hands, truths = zip(*rendered_hands(model, arguments.test, arguments.count), strict=True)
    off = centred_errors(np.array([h.vertices for h in hands]), np.array([t.vertices for t in truths]))
    found = {
        "rendered": Ratios(
            over_sigma(hands, [t.keypoints for t in truths]).ravel(),
            (off / np.array([h.vertex_sigma for h in hands])).ravel(),
        )
    }
    for name in ("two-cameras", "digits"):
        photos = KeypointPhotos(arguments.real / name, held=True, jitter=False)
        found[f"held-out {name}"] = Ratios(real_ratios(model, photos, arguments.photos), np.empty(0))
    rows = []
    for name, one in found.items():
        for what, shares in zip(("keypoints", "vertices"), one.shares(), strict=True):
            if shares[0] == shares[0]:
                rows.append([f"{what}, {name}", *(f"{100 * share:.0f}" for share in shares)])
    print(markdown(["% of errors within the interval of", *(f"{level:.0%}" for level in LEVELS)], rows))
    if arguments.plot:
        draw(found, arguments.plot)


if __name__ == "__main__":
    main()
