"""The same corrections give the same bits, whatever the number of threads, and without torch being loaded."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import hashlib, sys
import numpy as np
from annotator.correcting import solve
from annotator.hand.mesh import HandMesh, HandParameters, ParametricEstimate
from annotator.hand.model import load_hand
from annotator.vision.camera import project
from annotator.vision.drawing.raster import rasterise
from annotator.vision.images.depth_images import DepthImage

model, random, total = load_hand(), np.random.default_rng(1), hashlib.sha256()
K = np.array([[800.0, 0, 400], [0, 800, 300], [0, 0, 1]])
for count in (1, 4, 12, 21):
    pose = random.normal(0, 0.15, (16, 3))
    parameters = HandParameters(pose, random.normal(size=10), np.array([0.03, 0.02, 0.6]),
                                random.normal(0, 0.001, (model.offset_count, 3)))
    vertices = model.vertices(parameters)
    joints = model.joints(vertices)
    keypoints = project(joints, K)
    hand = HandMesh("right", K, keypoints.mean(axis=0), 260.0, 0.0, vertices, model.faces, joints, keypoints,
                    np.full(21, 5.0), np.full(len(vertices), 0.008), 0.8, parameters, model.name,
                    ParametricEstimate(vertices, joints, keypoints))
    moved = keypoints + random.normal(0, 8, (21, 2))
    surface = np.full((600, 800), 1.5)
    seen = rasterise(project(vertices, K), vertices[:, 2], model.faces, 600, 800)
    surface[seen.rows, seen.columns] = seen.depth + random.normal(0.01, 0.003, len(seen.depth))
    evidence = [DepthImage(surface)] if count > 4 else []
    found = solve(hand, model, {int(k): moved[k] for k in random.permutation(21)[:count]}, evidence=evidence).hand
    for array in (found.vertices, found.parameters.pose, found.parameters.shape, found.keypoint_sigma):
        total.update(np.ascontiguousarray(array).tobytes())
assert "torch" not in sys.modules, "the solver needs torch"
print(total.hexdigest())
"""


def test_threads_change_nothing_and_torch_is_not_needed():
    digests = []
    for threads in ("1", "2"):
        limits = {f"{library}_NUM_THREADS": threads for library in ("OPENBLAS", "OMP", "MKL")}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | limits,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        digests.append(run.stdout.strip())
    assert digests[0] == digests[1] and len(digests[0]) == 64
