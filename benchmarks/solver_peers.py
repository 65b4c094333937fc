"""A peer for the solver: the same hand model fitted to the same keypoints in the manner of SMPLify, on torch.

F. Bogo et al., 'Keep it SMPL', 2016: reprojection, a prior on pose and one on shape, joint limits, minimised
by L-BFGS to convergence. It is given what the solver is given: the corrected keypoints (to a person's 1.5 px)
and the proposal's others (to their sigmas), in the photo's camera. It starts from the proposal or from the
mean pose.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from smplx.lbs import batch_rodrigues

from annotator.hand.layer import HandLayer
from annotator.hand.limits import limit_excess
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.camera import project

CROP = 224.0
PERSON = 1.5  # px, as the solver has it
POSE_SPREAD, LIMIT_SPREAD, SHAPE_SPREAD = (
    0.5,
    0.05,
    1.0,
)  # rad about the mean pose, rad beyond a limit, shape units
BENT = 0.3  # rad: the mean pose's flexion at every finger joint


class SmplifyFit:
    """Fits one hand after another. start: "proposal" or "mean" (mean pose and shape, the proposal's place and
    turn).
    """

    def __init__(self, model: HandModel, start: str = "proposal", iterations: int = 200):
        self.model, self.start, self.iterations = model, start, iterations
        self.layer = HandLayer(model).double()
        self.axes = torch.tensor(np.array(model.anatomical_axes))
        self.limits = torch.tensor(np.array(model.limits))
        self.mean = torch.tensor(BENT * model.anatomical_axes[:, 0])  # (15,3) rotation vectors
        self.evaluations = 0

    def __call__(self, hand: HandMesh, corrections: Mapping[int, tuple[float, float]]) -> HandMesh:
        """The fitted hand, with its own mesh; for `simulated.annotate`."""
        left = hand.side == "left"
        mirror = torch.tensor([-1.0 if left else 1.0, 1.0, 1.0], dtype=torch.float64)
        scale = CROP / hand.crop_size
        wanted, sigma = np.array(hand.keypoints), hand.keypoint_sigma * scale
        for joint, place in corrections.items():
            wanted[joint], sigma[joint] = place, PERSON
        wanted, sigma = torch.tensor(wanted), torch.tensor(sigma)
        K = torch.tensor(np.array(hand.camera))
        was = hand.parameters
        pose = torch.tensor(np.array(was.pose))
        shape = torch.tensor(np.array(was.shape))
        if self.start == "mean":
            pose = torch.cat([pose[:1], self.mean])
            shape = torch.zeros(10, dtype=torch.float64)
        depth = float(was.translation[2])
        place = torch.tensor(np.array(was.translation)) / depth
        variables = [v.clone().requires_grad_() for v in (pose, shape, place)]
        offsets = torch.tensor(np.array(was.offsets))[None] if self.start == "proposal" else None

        def energy() -> torch.Tensor:
            pose, shape, place = variables
            rotations = batch_rodrigues(pose + 1e-12)[None]
            joints = self.layer.keypoints_from_pose(rotations, shape[None], offsets)[0] + depth * place
            image = (joints * mirror) @ K.T
            miss = (image[:, :2] / image[:, 2:] - wanted) * scale / sigma[:, None]
            excess = limit_excess(rotations[:, 1:], self.axes, self.limits) / LIMIT_SPREAD
            return (
                miss.square().sum()
                + ((pose[1:] - self.mean) / POSE_SPREAD).square().sum()
                + (shape / SHAPE_SPREAD).square().sum()
                + excess.square().sum()
            )

        optimiser = torch.optim.LBFGS(
            variables, max_iter=self.iterations, tolerance_grad=1e-5, tolerance_change=1e-7,
            line_search_fn="strong_wolfe",
        )  # fmt: skip

        def closure() -> torch.Tensor:
            self.evaluations += 1
            optimiser.zero_grad()
            loss = energy()
            loss.backward()
            return loss

        optimiser.step(closure)
        pose, shape, place = (v.detach().numpy() for v in variables)
        parameters = was.replace(
            pose=pose, shape=shape, translation=depth * place,
            offsets=was.offsets if self.start == "proposal" else np.zeros_like(was.offsets),
        )  # fmt: skip
        vertices = self.model.vertices(parameters, hand.side)
        joints = self.model.joints(vertices)
        return hand.replace(
            parameters=parameters, vertices=vertices, joints=joints, keypoints=project(joints, hand.camera),
            corrections=dict(corrections),
        )  # fmt: skip


def in_the_picture_only(hand: HandMesh, corrections: Mapping[int, tuple[float, float]]) -> HandMesh:
    """The peer that changes keypoints and leaves the mesh alone."""
    keypoints = np.array(hand.keypoints)
    for joint, place in corrections.items():
        keypoints[joint] = place
    return hand.replace(keypoints=keypoints, corrections=dict(corrections))
