"""Labels as they speak of the mesh's joints: checked, read through the labeller's definition, and trusted more or less.

Labels may lie far from where the proposal has their joints: is the finger elsewhere, or was another one clicked?

A label many sigmas away says that the network is wrong about the finger, and then about the finger's other joints too:
they must not hold it where it was. But people click on a neighbouring finger, one time in forty or so, and such a click
lies as far away. It lies near a joint of another finger, though, and no other label of its own finger goes the same
way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.accuracy import label_sigma, random_sigma
from annotator.correcting.solver.prior import FINGER_OF
from annotator.correcting.solver.search import SolverSettings
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition
from annotator.hand.joint_states import CONFIRMED, JOINT_STATES, UNSEEN
from annotator.hand.joints import JOINT_NAMES, ByJoint, joint_index
from annotator.hand.mesh import HandMesh
from annotator.vision.crop_size import CROP_SIZE

STEEPEST = 5.0  # tangent of the widest angle off the camera's axis at which a correction can be met
ELSEWHERE = 15.0  # sigmas: where most labels are farther off than this, the whole hand is elsewhere;
MOST_OF = 3  # ... so many labels can say so, or the wrist's alone
FAR = 2.0  # sigmas: a label within this is as far off as labels and proposals usually are
SUSPECT = 1.5  # sigmas: a label beyond this may have been meant for another finger
NEAR = 2.5  # sigmas of another finger's joint, within which a label may have been meant for that one,
NEARER = 0.4  # ... if that joint is nearer than this share of the way to its own
WILD = 10.0  # sigmas: no finger is wrong by so much that one label alone need be believed; it pulls less and less
DOUBTED = 2.0  # how much less a label counts that may have been meant for another finger
LEAST_PX = 2.0  # px of the crop: no joint's place is known better when labels are compared with it


@dataclass(frozen=True, eq=False)
class Trust:
    """What labels (h,) far from the proposal mean. inflation (21,): how many times more than usual each keypoint of the
    proposal is doubted; labels (h,): factor on each label's sigma; gross (h,) bool: labels that say that the network is
    wrong, and are believed; elsewhere: how many times more doubtful the hand's place is than was thought (1: not)."""

    inflation: np.ndarray
    labels: np.ndarray
    gross: np.ndarray
    elsewhere: float = 1.0


def trust(
    places: np.ndarray,
    sigma: np.ndarray,
    joints: np.ndarray,
    labels: np.ndarray,
    accuracy: np.ndarray,
    backed_elsewhere: bool = False,
) -> Trust:
    """Judge labels (h,2) of joints (h,) against the proposal's keypoints: places (21,2), sigma (21,), accuracy (h,) of
    the labels; all in crop px. backed_elsewhere: a second view says the same, so that no label is taken for a slip.
    """
    inflation, factor, gross = np.ones(21), np.ones(len(joints)), np.zeros(len(joints), bool)
    if not len(joints):
        return Trust(inflation, factor, gross)
    way = labels - places[joints]
    length = np.hypot(way[:, 0], way[:, 1])
    off = length / np.hypot(sigma[joints], accuracy)
    elsewhere = (
        max(1.0, float(np.median(off)) / ELSEWHERE) if len(joints) >= MOST_OF or FINGER_OF[joints].max() < 0 else 1.0
    )
    for n in np.flatnonzero(off > SUSPECT):
        finger = FINGER_OF[joints[n]]
        if finger < 0:
            gross[n] = off[n] > FAR
            inflation[joints[n]] = max(inflation[joints[n]], off[n] / FAR)
            continue
        mates = [m for m in range(len(joints)) if m != n and FINGER_OF[joints[m]] == finger]
        along = [max(0.0, float(way[m] @ way[n]) / max(length[m] * length[n], 1e-9)) for m in mates]
        backed = max((min(off[m], off[n]) * a for m, a in zip(mates, along, strict=True)), default=0.0)
        distance = np.hypot(*(places - labels[n]).T)
        others = (FINGER_OF != finger) & (distance < NEARER * length[n])
        mistaken = not backed_elsewhere and bool((distance[others] < NEAR * np.maximum(sigma[others], LEAST_PX)).any())
        believed = backed if mistaken else max(backed, off[n])
        if believed > FAR:
            gross[n] = True
            if backed <= FAR and not backed_elsewhere:
                factor[n] = max(1.0, off[n] / WILD) ** 2
            inflation[FINGER_OF == finger] = np.maximum(inflation[FINGER_OF == finger], believed / FAR)
        elif mistaken:
            factor[n] = min(off[n] / SUSPECT, 2.0) * DOUBTED
    return Trust(inflation * elsewhere, factor, gross, elsewhere)


def read_labels(
    hand: HandMesh,
    corrections: Mapping[int, tuple[float, float]],
    states: Mapping[int, str],
    settings: SolverSettings,
    definition: JointDefinition,
    shape_of: HandMesh | None = None,
    held: Mapping[int, tuple[float, float]] | None = None,
    backed_elsewhere: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Trust]:
    """Labels as they speak of the mesh's own joints: joints (h,), places (h,2) photo px, sigma (h,) crop px, and their
    `Trust`. shape_of: the hand that turns the definition's offsets (None: the proposal itself)."""
    scale = CROP_SIZE / hand.crop_size
    sigma = label_sigma(hand, definition, settings.accuracy)
    offset = np.zeros((21, 2))
    if definition.moves:
        turner = hand if shape_of is None else shape_of
        offset = definition.keypoints(turner) - turner.keypoints
    given = {k: place for k, place in corrections.items() if states.get(k) not in UNSEEN}
    places: dict[int, np.ndarray] = {k: np.asarray(place) - offset[k] for k, place in given.items()}
    kept = {k: (held or {}).get(k, hand.keypoints[k]) for k, state in states.items() if state == CONFIRMED}
    held_at = {k: np.asarray(place) for k, place in kept.items() if k not in places}
    joints = np.array(sorted(places | held_at), dtype=int)
    own = random_sigma(
        hand, settings.accuracy
    )  # a confirmed keypoint is the mesh's own joint: nothing of it is meant otherwise
    accuracy = np.array([own if k in held_at else sigma[k] for k in joints], dtype=np.float64)
    wanted = np.array([(places | held_at)[k] for k in joints], dtype=np.float64).reshape(-1, 2)
    places_px, sigma_px = hand.keypoints * scale, hand.keypoint_sigma * scale
    judged = trust(places_px, sigma_px, joints, wanted * scale, accuracy, backed_elsewhere)
    return joints, wanted, accuracy * judged.labels, judged


def checked_states(states: ByJoint[str] | Sequence[str] | None) -> dict[int, str]:
    """Joint number -> state; InputError for an unknown joint or state, or a sequence that is not of 21."""
    if states is None:
        return {}
    if not isinstance(states, Mapping):
        states = tuple(states)
        if len(states) != 21:
            raise InputError(f"expected 21 joint states, got {len(states)}")
        states = dict(enumerate(states))
    found = {}
    for key, state in states.items():
        if state not in JOINT_STATES:
            raise InputError(f"unknown joint state {state!r}: expected one of {', '.join(JOINT_STATES)}")
        found[joint_index(key)] = state
    return found


def check_sight(points: Mapping[int, tuple[float, float]], K: np.ndarray) -> None:
    """InputError, naming the joint, for a place (x, y) photo px that no hand in front of camera K (3,3) could be at."""
    for joint, place in points.items():
        ray = np.linalg.solve(K, np.array([*place, 1.0]))
        if not math.hypot(ray[0], ray[1]) <= STEEPEST:
            raise InputError(
                f"correction of {JOINT_NAMES[joint]}: ({place[0]:g}, {place[1]:g}) is far outside what the camera sees"
            )
