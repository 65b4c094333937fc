"""The other hands that look the same: one photo does not tell a bend toward the camera from one away from it.

Seen from afar, a picture is the same when a part of the hand is mirrored in depth (H.-J. Lee and Z. Chen,
'Determination of 3D human body postures from a single view', 1985). A finger's mirror image may be within its
joints' range; a palm, being nearly flat, has one that is a turn of the hand. Each candidate starts from such
a mirror image and is solved again with all 21 keypoints held, so the picture stays and perspective, limits
and flesh decide what remains.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.depth.mirroring import EASE, JOINTS_OF, RELAXED, candidates
from annotator.correcting.penetration import self_penetration
from annotator.correcting.solver.assembling import answer_of, problem_of
from annotator.correcting.solver.coordinates import ANGLES
from annotator.correcting.solver.descent import Descent, descend
from annotator.correcting.solver.labels import checked_states
from annotator.correcting.solver.prior import GROWTH, USUAL, ProposalPrior
from annotator.correcting.solver.search import HARDEST, SolverSettings
from annotator.hand.joint_states import UNSEEN
from annotator.hand.joints import FINGERS, ByJoint
from annotator.hand.mesh import HandMesh, HandParameters
from annotator.hand.model import HandModel
from annotator.vision.crop_size import CROP_SIZE

DIFFERENT = 0.010  # m: a joint's depth differs at least so much from every other answer's
SAME_PICTURE = 2.0  # px of the crop: no keypoint moves farther
HELD = 0.5  # px: sigma of the keypoints that are held
DEEPEST = 0.006  # m: nothing of the hand may be deeper inside another part, unless it was before
# Mirroring needs freedom; what a joint may not do is said by its limits, not by where it was.
LOOSE = ProposalPrior(
    flexion=(0.8, 0.8, 0.6), abduction=(0.3, 0.05, 0.05), twist=(0.1, 0.05, 0.05),
    thumb=((1.1, 1.1, 1.1), (1.1, 0.07, 0.07), (0.8, 0.07, 0.07)), turn=0.6, place=5.0, depth=0.15, shape=0.7,
    pose=(USUAL / HELD) ** GROWTH, keypoints=1.0, together=0.0, in_finger=0.0,
)  # fmt: skip


@dataclass(frozen=True)
class Alternative:
    """Another hand with the same keypoints in the photo.

    hand; words: what was turned over; strain: how unusual it is (lower is likelier), comparable among one
    hand's alternatives; moved_mm: the joint that moved most in depth, mm; picture_px: how far a keypoint
    moved at most, crop px.
    """

    hand: HandMesh
    words: str
    strain: float
    moved_mm: float
    picture_px: float


def alternatives(
    hand: HandMesh,
    model: HandModel,
    states: ByJoint[str] | Sequence[str] | None = None,
    most: int = 3,
) -> tuple[Alternative, ...]:
    """Up to `most` plausible hands with the same 21 keypoints as `hand` (2 px of the crop at most apart),
    likeliest first.

    states as for `solve`: corrected and confirmed keypoints are held to 0.5 px, occluded ones and those out
    of frame are free. Empty where no other hand looks the same. Each answer's `hand` can take the place of
    `hand`.
    """
    known = checked_states(states)
    found: list[Alternative] = []
    for words, start in candidates(hand, model):
        answer = _settle(hand, model, known, start)
        if answer is not None:
            found.append(dataclasses.replace(answer, words=words))
    kept: list[Alternative] = []
    for one in sorted(found, key=lambda a: a.strain):
        if len(kept) < most and all(_apart(one.hand, other.hand) > DIFFERENT for other in kept):
            kept.append(one)
    return tuple(kept)


def _apart(a: HandMesh, b: HandMesh) -> float:
    """Largest difference of a joint's depth from the wrist, m."""
    return float(np.abs((a.joints - a.joints[0])[:, 2] - (b.joints - b.joints[0])[:, 2]).max())


def _settle(hand: HandMesh, model: HandModel, states: Mapping[int, str], start: HandParameters) -> Alternative | None:
    """The candidate brought to rest on the hand's own keypoints; None if it is no other hand, or no plausible
    one.
    """
    scale = CROP_SIZE / hand.crop_size
    settings = SolverSettings(prior=LOOSE)
    now = {
        k: tuple(hand.keypoints[k].tolist()) for k in hand.corrections
    }  # where the mesh is, not where its labels are
    held = hand.replace(parameters=start, keypoint_sigma=np.full(21, HELD / scale))
    problem = problem_of(held, model, now, states, (), settings)
    problem.hardness = np.full(len(problem.targets.joints), HARDEST)
    settled: Descent = descend(problem, problem.coordinates.start[: problem.count], 12, 1e-3, 1e-3)
    answer = answer_of(hand, model, problem, settled, hand.corrections, settings)

    seen = [k for k in range(21) if states.get(k) not in UNSEEN]
    picture = np.linalg.norm(answer.keypoints - hand.keypoints, axis=1)[seen].max(initial=0.0) * scale
    moved = _apart(answer, hand)
    if picture > SAME_PICTURE or moved < DIFFERENT or settled.state.distances.max(initial=0.0) > settings.exact:
        return None
    depth = self_penetration(answer, model).deepest
    if depth > max(DEEPEST, self_penetration(hand, model).deepest + 0.002):
        return None
    bends = settled.state.placed.x[ANGLES][::3]
    unusual = sum(
        np.sum(((bends[np.array(JOINTS_OF[finger]) - 1] - RELAXED[finger]) / EASE) ** 2) for finger in FINGERS
    )
    strain = 0.5 * float(unusual) + 0.5 * float(np.sum(settled.state.soft**2)) + 500.0 * depth
    kept = answer.replace(keypoint_sigma=hand.keypoint_sigma, vertex_sigma=hand.vertex_sigma)
    return Alternative(kept, "", strain, 1000 * moved, float(picture))
