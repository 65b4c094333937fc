"""The model as a user meets it: a photo in, hand meshes out; corrections in, a better mesh out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch

from annotator.correcting import solve
from annotator.correcting.checks import check_corrections
from annotator.correcting.depth.alternatives import Alternative, alternatives
from annotator.correcting.depth.evidence import Evidence
from annotator.correcting.solver.labels import checked_states
from annotator.correcting.subjects.subject import Subject
from annotator.correcting.views import InstantHand, refine_views
from annotator.detection.hand_detector import HandDetector
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.model import answered_again, instants
from annotator.model.answering import Answering
from annotator.model.proposing import Proposing
from annotator.model.refining import refined, with_features
from annotator.network.checkpoint import checkpoint_digest, resolve_device
from annotator.network.glfnet import Answer, GLFNet
from annotator.network.hand_meshes import CachedFeatures, HandMeshes
from annotator.network.layers import Unfilled
from annotator.vision.camera import check_camera
from annotator.vision.crops import Crop, extract_all
from annotator.vision.photos import as_photo


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
        with Unfilled():  # the finder's networks are all read from files
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

        Parameters
        ----------
        photo
            (H, W, 3) uint8 RGB (grey, RGBA and 16-bit arrays are understood too).
        boxes
            Upright boxes (x0, y0, x1, y1) round the hands, photo px; then exactly these hands are answered, in this
            order, however many (each answer takes 0.2 MB). None: hands are detected.
        sides
            'left', 'right' or None for each box.
        K
            (3, 3) intrinsics in px; None: focal length 1.2 times the longer side (`vision.camera.default_camera`).
        subject
            Whose hands they are, if that is known: what `annotator.estimate_subject` found.

        Returns
        -------
        list of HandMesh
            In the camera's frame (x right, y down, z forward), metres.

        Raises
        ------
        InputError
            Anything that cannot be used: no photo, boxes without area, sides without boxes, K that is no camera.
        """
        return next(iter(self.propose_many([photo], [boxes], [sides], [K], subject=subject)))

    def of_subject(self, hand: HandMesh, subject: Subject) -> HandMesh:
        """The hand again as its subject's: the likeliest one of that shape.

        Parameters
        ----------
        hand
            A proposal or an answer, with the labels that it has. Its cached features stay.
        subject
            What `annotator.estimate_subject` found.

        Returns
        -------
        HandMesh
            A new one.

        Raises
        ------
        InputError
            The subject is of another hand model.
        """
        return solve(hand, self.hand, {}, subject=subject).hand

    def propose_many(
        self,
        photos: Iterable[np.ndarray],
        boxes: Iterable | None = None,
        sides: Iterable | None = None,
        cameras: Iterable | None = None,
        batch: int = 16,
        subject: Subject | None = None,
    ) -> Iterator[list[HandMesh]]:
        """`propose` over many photos, together in the passes of each network.

        Parameters
        ----------
        photos
            Of any number; they are drawn as they are needed.
        boxes, sides, cameras
            For each photo, what `propose` takes (cameras: its K); None: for none of them.
        batch
            Hands, and photos without boxes, in a pass. At most that many photos are read ahead of the one that is
            yielded, fewer where they are large.
        subject
            Whose hands all of them show, as for `propose`.

        Yields
        ------
        list of HandMesh
            Photo by photo, in order.

        Raises
        ------
        InputError
            As `propose`, when the photo comes.
        """
        found = self.proposing.many(photos, boxes, sides, cameras, batch, self.quick)
        if subject is None:
            return found
        return ([self.of_subject(hand, subject) for hand in hands] for hands in found)

    def answer_in(self, photo: np.ndarray, crops: Sequence[Crop], K: np.ndarray) -> list[HandMesh]:
        """The answers for hands in these very crops of a photo, without any search: for who knows where hands are.

        Parameters
        ----------
        photo
            (H, W, 3) uint8 RGB.
        crops
            Where the hands are; flipped for left ones.
        K
            (3, 3) intrinsics in px.

        Returns
        -------
        list of HandMesh
            One a crop. Their `features` hold what the encoder saw (presence, side, landmarks: NaN from an encoder
            without them).
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
        """One hand of the network's answer as a mesh in its photo.

        Parameters
        ----------
        answer, at
            The network's answer (on the CPU), and the hand's number in it.
        kept
            Cached features of its crop.
        K
            (3, 3) intrinsics in px.
        side, presence
            'left' or 'right', and how sure it is that there is a hand, 0..1.
        corrections
            What the network was told: joint number -> (x, y) photo px.

        Returns
        -------
        HandMesh
        """
        return self.records.of(answer, at, kept, K, side, presence, corrections)

    # -- corrections ------------------------------------------------------------------------------------------
    @torch.inference_mode()
    def remember(self, photo: np.ndarray, hand: HandMesh) -> HandMesh:
        """The same hand with cached features of exactly its crop, so that `refine` takes it.

        For a hand that comes from a file or a project, which keep no features.

        Parameters
        ----------
        photo
            The (H, W, 3) photo it is in.
        hand
            The hand.

        Returns
        -------
        HandMesh
            The same mesh.

        Raises
        ------
        InputError
            The photo is none, or the hand's camera is not one of it.
        """
        photo = as_photo(photo)
        crop = Crop.of_hand(hand)
        K = check_camera(hand.camera, photo.shape[:2])
        features = self.finder.features(extract_all(photo, [crop]))
        return self.with_features(hand, self.answering.cached(features, crop, K))

    def with_features(self, hand: HandMesh, kept: CachedFeatures) -> HandMesh:
        """The hand with cached features, and with what the network says of them without a prompt.

        Parameters
        ----------
        hand
            The hand.
        kept
            Cached features of its crop.

        Returns
        -------
        HandMesh
            The same mesh.
        """
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

    other_side = answered_again.other_side
    told_again = answered_again.told_again

    # -- several cameras at once ------------------------------------------------------------------------------
    propose_instant = instants.propose_instant
    remember_instant = instants.remember_instant
    other_side_instant = instants.other_side_instant

    def refine_instant(
        self,
        hand: InstantHand,
        corrections: Mapping[str, ByJoint[Sequence[float]]],
        states: Mapping[str, ByJoint[str] | Sequence[str] | None] | None = None,
        definition: JointDefinition | str | None = None,
    ) -> InstantHand:
        """The hand again, with keypoints set in any of its photos. See `correcting.views.refine_views`.

        Parameters
        ----------
        hand
            What `propose_instant` or `remember_instant` gave, or an earlier answer.
        corrections
            Camera -> joint -> (x, y) px of that photo.
        states
            Camera -> joint states, as in `refine`.
        definition
            As in `refine`.

        Returns
        -------
        InstantHand
            A new one.

        Raises
        ------
        InputError
            Cameras that do not see the hand, and what `refine` objects to.
        """
        return refine_views(hand, self.hand, corrections, states, definition)

    def alternatives(
        self, hand: HandMesh, states: ByJoint[str] | Sequence[str] | None = None, most: int = 3
    ) -> tuple[Alternative, ...]:
        """Other plausible hands with the same keypoints in the photo. See `correcting.depth.alternatives`.

        Parameters
        ----------
        hand
            A proposal or an answer.
        states
            As in `refine`.
        most
            How many at most.

        Returns
        -------
        tuple of Alternative
            Likeliest first; the `hand` of one can take the place of `hand`.
        """
        return alternatives(hand, self.hand, states, most)

    def prompted(self, hand: HandMesh, corrections: dict[int, tuple[float, float]]) -> HandMesh:
        """The network's own answer to corrections, before the solver.

        Parameters
        ----------
        hand
            A hand with cached features.
        corrections
            Joint number -> checked (x, y) photo px.

        Returns
        -------
        HandMesh
            A new one.
        """
        return self.answering.prompted(hand, corrections)
