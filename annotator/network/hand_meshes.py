"""From what the network says (in crops) to the record of a hand in its photo: metres, photo pixels, uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from annotator.hand.mesh import HandMesh, HandParameters, ParametricEstimate
from annotator.hand.model import HandModel
from annotator.network.crop_camera import CropView, translation_of
from annotator.network.features import Features
from annotator.network.glfnet import Answer
from annotator.network.outline.boundary import boundary
from annotator.network.outline.filling import Filling, Placed
from annotator.network.outline.head import STRIDE as OUTLINE_STRIDE
from annotator.network.parametric import Estimate
from annotator.network.uncertainty import vertex_weights
from annotator.vision.camera import project
from annotator.vision.crops import CROP_SIZE, Crop

# The network's sigmas are scales b of densities exp(-r/b) of a distance r; their standard deviations along one axis:
PER_AXIS_2D, PER_AXIS_3D = np.sqrt(3.0), 2.0
DOUBTFUL = 17.5  # px of the crop: a hand whose typical keypoint is that unsure has a third of the confidence
EVERY = 2  # of the outline's rows and columns: neighbours say the same thing
MIRROR = np.diag([-1.0, 1.0, 1.0])
# for each keypoint the bone (MANO order) it lies on: a tip lies on its distal bone
BONE_OF = np.array([0, 13, 14, 15, 15, 1, 2, 3, 3, 4, 5, 6, 6, 10, 11, 12, 12, 7, 8, 9, 9])


@dataclass(frozen=True)
class CachedFeatures:
    """What a correction needs of a hand's proposal, so that the encoder is not run again: one hand's tensors, and what
    the network said before anybody told it anything (None where it has not been asked)."""

    features: Features
    start: Estimate
    view: CropView
    crop: Crop
    proposal: HandMesh | None = None

    @staticmethod
    def with_proposal(hand: HandMesh) -> HandMesh:
        """A hand that is a proposal, so that its cached features say so."""
        return hand.replace(features=replace(hand.features, proposal=hand.replace(features=None)))


class HandMeshes:
    """Builds the records of hands of one hand model."""

    def __init__(self, hand: HandModel):
        self.hand = hand
        rest = hand.keypoint_regressor @ hand.template
        self.vertex_weights = vertex_weights(hand.template, rest, hand.weights, BONE_OF)
        self.filling = Filling(hand)

    def of(
        self,
        answer: Answer,
        at: int,
        kept: CachedFeatures,
        K: np.ndarray,
        side: str,
        presence: float,
        corrections: dict,
    ) -> HandMesh:
        """The hand number `at` of an answer (on the CPU), seen as `kept` says in a photo with intrinsics K (3, 3).

        presence: 0..1, how sure the landmark network is that a hand is there.
        """
        parameters = self.parameters(answer.final, at, kept.view, kept.features.outline)
        first = self.parameters(answer.parametric, at, kept.view)
        vertices, joints, keypoints = self._posed(parameters, side, K)
        crop = kept.crop
        # confidence falls with the landmark network's doubt and with the hand's own typical error
        typical = float(np.median(answer.keypoint_sigma[at].numpy()))
        return HandMesh(
            side=side,
            camera=np.array(K, np.float64),
            crop_center=np.array([crop.cx, crop.cy]),
            crop_size=crop.size,
            crop_angle=crop.angle,
            vertices=vertices,
            faces=self.hand.faces_of(side),
            joints=joints,
            keypoints=keypoints,
            keypoint_sigma=answer.keypoint_sigma[at].double().numpy() * (PER_AXIS_2D * crop.size / CROP_SIZE),
            vertex_sigma=self.vertex_weights @ answer.joint_sigma[at].double().numpy() * PER_AXIS_3D,
            confidence=float(np.clip(presence, 0, 1) * np.exp(-typical / DOUBTFUL)),
            parameters=parameters,
            hand_model=self.hand.name,
            parametric=ParametricEstimate(*self._posed(first, side, K), first),
            corrections=dict(corrections),
            features=kept,
        )

    def _posed(self, parameters: HandParameters, side: str, K: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        vertices = self.hand.vertices(parameters, side)
        joints = self.hand.joints(vertices)
        return vertices, joints, project(joints, K)

    def parameters(self, estimate: Estimate, at: int, view: CropView, outline: Tensor | None = None) -> HandParameters:
        """The estimate of hand `at`, turned from its crop camera's frame into the photo's camera's.

        outline: (1, 1, 112, 112) logits of its crop; then its surface fills it (`network.outline`).
        """
        rotations = Estimate(*(f[at : at + 1].double() for f in estimate)).rotations()[0].numpy()
        focal = torch.tensor([view.focal], dtype=torch.float64)
        translation = translation_of(estimate.camera[at : at + 1].double(), focal)[0].numpy()
        shape, offsets = estimate.shape[at].double().numpy(), estimate.offsets[at].double().numpy()
        if outline is not None:
            seen = boundary(outline[0, 0].double().sigmoid().numpy(), OUTLINE_STRIDE, EVERY)
            rotations, shape, translation, offsets = self.filling(
                Placed(rotations, shape, translation, offsets), seen, view.projection
            )
        # parameters of a left hand are those of its mirror image, see `HandModel.vertices`
        turn = MIRROR @ view.rotation if view.flip else view.rotation
        rotations = np.concatenate([(turn @ rotations[0])[None], rotations[1:]])
        return HandParameters(
            pose=Rotation.from_matrix(rotations).as_rotvec(),
            shape=shape,
            translation=turn @ translation,
            offsets=offsets,
        )


def for_keeping(features: Features) -> Features:
    """Features on the CPU, maps and outline in half precision."""
    # half precision: 155 kB a hand is what a plugin session keeps for thousands of hands
    kept = features.mapped(Tensor.cpu)
    outline = None if kept.outline is None else kept.outline.half()
    return kept._replace(maps=tuple(m.half() for m in kept.maps), outline=outline)


def on_cpu(answer: Answer) -> Answer:
    """An answer on the CPU."""
    return Answer(
        [Estimate(*(f.cpu() for f in e)) for e in answer.estimates],
        answer.keypoint_sigma.cpu(),
        answer.joint_sigma.cpu(),
    )
