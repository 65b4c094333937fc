"""Which sign tells a wrong keypoint: the network's sigma, or that it says another thing without landmarks.

    python benchmarks/disagreement.py OUT --test DATA/test [--hands 200]

OUT is that of benchmarks/active_learning.py: hands at a place that the model does not know, whose landmarks mislead.
TEST are rendered photos of the kind it knows. Rank correlations are over visible keypoints, with the error in the
photo. `asked`: the mean error of the three keypoints of a hand that a sign would ask for. Last: what corrections of a
known hand bring when the next keypoint is chosen with and without the landmark disagreement.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from active_runs import described, mesh_of, seen_states
from scipy.stats import spearmanr
from tables import better_by, markdown
from worlds.active import keypoint_px, photos

from annotator.correcting.next_keypoint import expected_gain
from annotator.correcting.simulation import simulated
from annotator.model import load_model
from annotator.network.hand_meshes import HandMeshes
from annotator.rounds.selection.disagreement import landmark_disagreement, without_landmarks
from annotator.rounds.trials.rendered_proposals import rendered_hands

ASKED, CORRECTIONS = 3, 4


def rows_of(where: str, error: np.ndarray, visible: np.ndarray, signs: dict[str, np.ndarray]) -> list[list[str]]:
    """One row a sign, all (N, 21)."""

    def asked(sign):
        first = np.argsort(-np.where(visible, sign, -np.inf), axis=1)[:, :ASKED]
        return np.take_along_axis(error, first, 1).mean()

    chance = np.random.default_rng(0).random(error.shape)
    found = [[where, "at random", "", f"{asked(chance):.1f}"]]
    for name, sign in signs.items():
        found.append([where, name, f"{spearmanr(sign[visible], error[visible])[0]:.2f}", f"{asked(sign):.1f}"])
    return found


def at_a_new_place(model, out: Path, count: int) -> list[list[str]]:
    pool = photos("pool", out, model.network)
    rows = np.arange(min(count, len(pool)))
    records, sigma, disagreement, plain = HandMeshes(model.hand), [], [], []
    with torch.inference_mode():
        for start in range(0, len(rows), 50):
            part = rows[start : start + 50]
            features, labels = pool.batch(part)
            led, unled = (
                model.network.answer(f, labels.projection, labels.focal)
                for f in (features, without_landmarks(features))
            )
            for at, row in enumerate(part):
                hand, other = (mesh_of(records, answer, at, float(labels.focal[at])) for answer in (led, unled))
                sigma.append(hand.keypoint_sigma)
                disagreement.append(np.linalg.norm(hand.keypoints - other.keypoints, axis=1))
                plain.append(expected_gain(hand, model.hand, seen_states(pool, int(row))))
    error = np.concatenate([keypoint_px(model.network, pool, rows[k : k + 50]) for k in range(0, len(rows), 50)])
    gains = described(model.network, pool, rows, [], True).gains
    signs = {
        "sigma": np.array(sigma),
        "landmark disagreement": np.array(disagreement),
        "expected gain": np.array(plain),
        "expected gain with disagreement": gains,
    }
    return rows_of("new place", error, pool.visible[rows], signs)


def at_a_known_one(model, folder: Path, count: int) -> tuple[list[list[str]], str]:
    hands = list(rendered_hands(model, folder, count))
    disagreements = [landmark_disagreement(model, hand) for hand, _ in hands]
    error = np.array([np.linalg.norm(hand.keypoints - truth.keypoints, axis=1) for hand, truth in hands])
    visible = np.array([truth.visible for _, truth in hands], bool)
    signs = {
        "sigma": np.array([hand.keypoint_sigma for hand, _ in hands]),
        "landmark disagreement": np.array(disagreements),
        "expected gain": np.array([expected_gain(hand, model.hand) for hand, _ in hands]),
        "expected gain with disagreement": np.array(
            [expected_gain(hand, model.hand, disagreement=d) for (hand, _), d in zip(hands, disagreements, strict=True)]
        ),
    }
    ends = {}
    for name, used in (("without", False), ("with", True)):
        ends[name] = []
        for number, ((hand, truth), disagreement) in enumerate(zip(hands, disagreements, strict=True)):
            simulated.expected_gain = lambda now, of, d=disagreement, used=used: expected_gain(
                now, of, disagreement=d if used else None
            )
            trace = simulated.annotate(
                hand, truth, model.refine, model.hand, CORRECTIONS, "model", random=np.random.default_rng(number)
            )
            ends[name].append(trace.vertex_mm[-1])
    without, with_it = np.array(ends["without"]), np.array(ends["with"])
    words = (
        f"PA-MPVPE of {len(hands)} known hands after {CORRECTIONS} corrections: {without.mean():.2f} mm chosen without "
        f"disagreement, {with_it.mean():.2f} mm with it; lower by {better_by(without, with_it)}"
    )
    return rows_of("known", error, visible, signs), words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--hands", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(device="cpu")
    rows = at_a_new_place(model, arguments.out, arguments.hands)
    known, words = at_a_known_one(model, arguments.test, arguments.hands)
    print(
        markdown(["hands", "sign", "rank correlation with the error", f"asked: px of {ASKED} keypoints"], rows + known)
    )
    print("\n" + words)


if __name__ == "__main__":
    main()
