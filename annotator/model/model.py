"""The model as a user meets it: a photo in, hand meshes out; corrections in, a better mesh out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from annotator.correcting import solve
from annotator.correcting.alternatives import Alternative, alternatives
from annotator.correcting.checks import check_corrections
from annotator.correcting.evidence import Evidence
from annotator.correcting.solver.labels import checked_states
from annotator.correcting.subjects.subject import Subject
from annotator.correcting.views import InstantHand, refine_views
from annotator.detection.hand_detector import HandDetector
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joints import ByJoint, opposite
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.model import instants
from annotator.model.answering import Answering
from annotator.model.proposing import Proposing
from annotator.model.refining import box_of, refined, seen_by_people, with_features
from annotator.network.checkpoint import checkpoint_digest, load_checkpoint, resolve_device
from annotator.network.glfnet import Answer, GLFNet
from annotator.network.hand_meshes import CachedFeatures, HandMeshes
from annotator.vision.camera import check_camera
from annotator.vision.crops import Crop, extract_all
from annotator.vision.photos import as_photo
from annotator.vision.rigs import Rig


class Model:
    """A loaded checkpoint with its hand model and all that finds hands.

    hand: the `HandModel`; digest: a short name of exactly these weights; card: what the checkpoint says of itself;
    quick: whether photos without boxes get one look (`docs/scaling.md` says what that saves and costs).
    """

    def __init__(self, network: GLFNet, card: dict | None = None, device: str | None = None, quick: bool = False):
        self.quick = quick
        self.device = resolve_device(device)
        self.network = network.to(self.device).eval()
        self.hand: HandModel = network.hand
        self.card = card or {}
        self.digest = checkpoint_digest(network)
        self.finder = HandDetector(self.network, self.device)
        self.records = HandMeshes(self.hand)
        self.answering = Answering(self.network, self.device, self.records)
        self.proposing = Proposing(self.finder, self.answering)

    # -- proposals --------------------------------------------------------------------------------------------
    def propose(
        self,
        photo: np.ndarray,
        boxes: Sequence[Sequence[float]] | None = None,
        sides: Sequence[str | None] | None = None,
        K: np.ndarray | None = None,
        subject: Subject | None = None,
    ) -> list[HandMesh]:
        """Finds the hands of a photo and proposes a mesh for each.

        photo: (H, W, 3) uint8 RGB (grey, RGBA and 16-bit arrays are understood too).
        boxes: upright boxes (x0, y0, x1, y1) round the hands, photo px; then exactly these hands are answered, in
        this order, however many (each answer takes 0.2 MB). None: hands are detected. sides: 'left', 'right' or None
        for each box.
        K: (3, 3) intrinsics in px; None: focal length 1.2 times the longer side (see `vision.camera.default_camera`).
        subject: whose hands they are, if that is known: see `annotator.estimate_subject`.
        InputError for anything that cannot be used.
        """
        hands = next(iter(self.propose_many([photo], [boxes], [sides], [K])))
        return hands if subject is None else [self.of_subject(hand, subject) for hand in hands]

    def of_subject(self, hand: HandMesh, subject: Subject) -> HandMesh:
        """The hand again as its subject's: the likeliest one of that shape, given the proposal and the labels that it
        has. Its cached features stay."""
        return solve(hand, self.hand, {}, subject=subject).hand

    def propose_many(
        self,
        photos: Iterable[np.ndarray],
        boxes: Iterable | None = None,
        sides: Iterable | None = None,
        cameras: Iterable | None = None,
        batch: int = 16,
    ) -> Iterator[list[HandMesh]]:
        """`propose` over many photos, together in the passes of each network; yields photo by photo, in order.

        batch: hands, and photos without boxes, in a pass. At most that many photos are read ahead of the one that is
        yielded, fewer where they are large.
        """
        return self.proposing.many(photos, boxes, sides, cameras, batch, self.quick)

    def answer_in(self, photo: np.ndarray, crops: Sequence[Crop], K: np.ndarray) -> list[HandMesh]:
        """The answers for hands in these very crops of a photo, without any search: for who knows where hands are.

        photo: (H, W, 3) uint8; crops: flipped for left hands; K: (3, 3) px. Each hand's `features` hold what the
        encoder saw (presence, side, landmarks: NaN from an encoder without them).
        """
        return self.proposing.in_crops(photo, crops, K)

    def hand_of(
        self,
        answer: Answer,
        at: int,
        kept: CachedFeatures,
        K: np.ndarray,
        side: str,
        presence: float,
        corrections: dict,
    ) -> HandMesh:
        """Hand number `at` of the network's answer (on the CPU) in its photo with intrinsics K (3, 3). presence: 0..1;
        corrections: what the network was told, joint number -> photo px."""
        return self.records.of(answer, at, kept, K, side, presence, corrections)

    # -- corrections ------------------------------------------------------------------------------------------
    @torch.inference_mode()
    def remember(self, photo: np.ndarray, hand: HandMesh) -> HandMesh:
        """The same hand with cached features of exactly its crop, so that `refine` takes it.

        For a hand that comes from a file or a project, which keep no features. photo: the (H, W, 3) photo it is in.
        """
        photo = as_photo(photo)
        crop = Crop.of_hand(hand)
        K = check_camera(hand.camera, photo.shape[:2])
        features = self.finder.features(extract_all(photo, [crop]))
        return self.with_features(hand, self.answering.cached(features, crop, K))

    def with_features(self, hand: HandMesh, kept: CachedFeatures) -> HandMesh:
        """The hand with cached features of its crop, and with what the network says of them without a prompt."""
        return with_features(hand, kept, self.prompted)

    def refine(
        self,
        hand: HandMesh,
        corrections: ByJoint[Sequence[float]],
        states: ByJoint[str] | Sequence[str] | None = None,
        evidence: Sequence[Evidence] = (),
        exact: bool = False,
        definition: JointDefinition | str | None = None,
        subject: Subject | None = None,
    ) -> HandMesh:
        """The hand again, with keypoints set by a person.

        The answer is the likeliest hand given all labels, each with its accuracy, and the network's proposal. Labels
        that say that the network is wrong about a finger are prompts first: local refinement runs again with them, from
        cached features, and what it answers takes the proposal's place. A hand without cached features (from a project
        or a file) is solved from where it is: `remember` it with its photo to have the network's answer too.

        Parameters
        ----------
        hand
            A proposal, or an earlier answer; its earlier corrections stay unless named again.
        corrections
            Joint name or number (see `hand.joints.JOINT_NAMES`) -> (x, y) photo px. Kept in `HandMesh.corrections` to
            the last bit; `HandMesh.keypoints` are where the mesh's joints came to be.
        states
            Joint -> state, or all 21: 'confirmed' keypoints are right where they are, 'occluded' ones and those 'out of
            frame' are told to nobody.
        evidence
            Depth relations, depths, second views (`annotator.InFront`, `PalmDepths`, `PalmDistance`, `Depths`,
            `SecondView`). What a person can say stays with the hand, in `HandMesh.depth_labels`.
        exact
            Pin the mesh to every label, at the price of its shape.
        definition
            How the labeller means the joints: a name, or what `annotator.learn_definition` found; None: somebody
            unknown.
        subject
            Whose hand it is: what `annotator.estimate_subject` found.

        Returns
        -------
        HandMesh
            A new one. `correcting.solve` also tells what could not be met.

        Raises
        ------
        InputError
            Unknown joints, states or definitions; places that are not finite, or far outside the camera's sight.
        """
        merged = dict(hand.corrections) | check_corrections(corrections)
        known = checked_states(states)
        read = definition_of(definition)
        return refined(hand, self.hand, self.prompted, merged, known, evidence, exact, read, subject)

    def other_side(
        self,
        photo: np.ndarray,
        hand: HandMesh,
        states: ByJoint[str] | Sequence[str] | None = None,
        definition: JointDefinition | str | None = None,
    ) -> HandMesh:
        """The hand as one of the other side, answered anew in the same place of its photo (H, W, 3), by the same
        camera.

        What a person said is of the photo, not of the side, and is kept, see `told_again`. states, definition: as in
        `refine`.
        """
        known = checked_states(states)
        box, side = box_of(hand), opposite(hand.side)
        (fresh,) = self.propose(photo, [box], [side], hand.camera)
        return self.told_again(fresh, hand, known, definition)

    def told_again(
        self,
        fresh: HandMesh,
        hand: HandMesh,
        states: ByJoint[str] | Sequence[str] | None = None,
        definition: JointDefinition | str | None = None,
    ) -> HandMesh:
        """`fresh`, another answer for the same hand of the photo (drawn again, or of the other side), told what a
        person said of `hand`, which is of the photo and stays true: its corrections, and keypoints whose state is
        'confirmed', as corrections where they were. states, definition: as in `refine`."""
        known = checked_states(states)
        labels = seen_by_people(hand, known)
        return self.refine(fresh, labels, known, definition=definition) if labels else fresh

    # -- several cameras at once ------------------------------------------------------------------------------
    def propose_instant(
        self,
        photos: Mapping[str, np.ndarray],
        rig: Rig,
        boxes: Mapping[str, Sequence | None] | None = None,
        sides: Mapping[str, Sequence | None] | None = None,
    ) -> list[InstantHand]:
        """The hands that the cameras of a rig see at one moment, each one mesh in all their photos, surest first.

        photos: camera -> (H, W, 3) photo, as the lens has it; boxes, sides: camera -> as for `propose`. Each photo is
        proposed by itself; hands are matched by geometry, their proposals joined by their uncertainty, and pose, shape
        and place solved over all photos at once. A proposal that contradicts the others is left out (`left_out` says
        so). A rig of unknown unit is measured by the hands' size. InputError: see `correcting.views.asking`.
        """
        return instants.propose_instant(self, photos, rig, boxes, sides)

    def refine_instant(
        self,
        hand: InstantHand,
        corrections: Mapping[str, ByJoint[Sequence[float]]],
        states: Mapping[str, ByJoint[str] | Sequence[str] | None] | None = None,
        definition: JointDefinition | str | None = None,
    ) -> InstantHand:
        """The hand again, with keypoints set in any of its photos: camera -> joint -> (x, y) px of that photo. See
        `correcting.views.refine_views`."""
        return refine_views(hand, self.hand, corrections, states, definition)

    def remember_instant(
        self, photos: Mapping[str, np.ndarray], rig: Rig, shown: Mapping[str, HandMesh], left_out: Mapping[str, str]
    ) -> InstantHand:
        """A hand of an instant from a file or a project, which keep the mesh alone: what the network says of the same
        crops makes it what `propose_instant` gave. photos: camera -> photo; rig: in metres; shown: camera -> the hand
        as it is there, with its labels; left_out: camera -> why its proposal does not count."""
        return instants.remember_instant(self, photos, rig, shown, left_out)

    def alternatives(
        self, hand: HandMesh, states: ByJoint[str] | Sequence[str] | None = None, most: int = 3
    ) -> tuple[Alternative, ...]:
        """Up to `most` other plausible hands with the same keypoints in the photo, likeliest first; the `hand` of one
        can take the place of `hand`. See `correcting.alternatives`."""
        return alternatives(hand, self.hand, states, most)

    def prompted(self, hand: HandMesh, corrections: dict[int, tuple[float, float]]) -> HandMesh:
        """The network's own answer to corrections of a hand with cached features: joint number -> checked (x, y) photo
        px."""
        return self.answering.prompted(hand, corrections)


def load_model(
    checkpoint: str | Path | None = None,
    hand: str | HandModel | None = None,
    device: str | None = None,
    quick: bool = False,
) -> Model:
    """The embedded default, or the checkpoint at a path; `hand` names another hand model in the same form. quick: see
    `Model`."""
    network, card = load_checkpoint(checkpoint, hand)
    return Model(network, card, device, quick)
