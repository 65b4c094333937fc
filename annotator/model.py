"""The model as a user meets it: a photo in, hand meshes out; corrections in, a better mesh out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from annotator.correcting import solve
from annotator.correcting.alternatives import Alternative, alternatives
from annotator.correcting.checks import check_corrections
from annotator.correcting.evidence import Evidence
from annotator.correcting.solver import SolverSettings
from annotator.correcting.solver.solver import check_sight, checked_states, read_labels
from annotator.correcting.subjects.subject import Subject
from annotator.correcting.views import InstantHand, Sighting, asking, join, join_one, refine_views
from annotator.detection.grouping import groups, hinted
from annotator.detection.hand_detector import HandDetector
from annotator.detection.localization import Located
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joint_states import CONFIRMED, PROPAGATED, UNSEEN
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.network.checkpoint import checkpoint_digest, load_checkpoint, resolve_device
from annotator.network.crop_camera import CropView, cameras
from annotator.network.features import Features, joined
from annotator.network.glfnet import Answer, GLFNet
from annotator.network.hand_meshes import CachedFeatures, HandMeshes, for_keeping, on_cpu
from annotator.network.parametric import Estimate
from annotator.network.prompts import Prompts
from annotator.stopping import still_wanted
from annotator.vision.camera import check_camera, default_camera
from annotator.vision.crops import CROP_SIZE, MIDDLE, Crop, extract_all
from annotator.vision.photos import as_photo
from annotator.vision.rigs import Rig

AT_ONCE = 16  # hands in a pass of the heads
BOX_MARGIN = 0.1  # of the keypoints' longer side: how far a box round a hand goes beyond them
PROMPT_REACH = 0.75 * CROP_SIZE  # px from the crop's middle, along each axis


class Waiting(NamedTuple):
    """A photo (H, W, 3) whose hands are found and not yet answered. features: of its hands; None if it has none, or
    very many; K: (3, 3) px."""

    photo: np.ndarray
    hands: list[Located]
    features: Features | None
    K: np.ndarray


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
        waiting: list[Waiting] = []
        for group in groups(hinted(photos, boxes, sides, cameras), batch):
            columns: Any = zip(*group, strict=True)
            some, told_boxes, told_sides, told_cameras = columns
            for photo, K in zip(some, told_cameras, strict=True):
                if K is not None:  # before any work
                    check_camera(K, photo.shape[:2])
            found = self.finder.find(some, told_boxes, told_sides, self.quick)
            for photo, (hands, features), K in zip(some, found, told_cameras, strict=True):
                waiting.append(Waiting(photo, hands, features, self._camera(photo, hands, K)))
                if sum(len(one.hands) for one in waiting) >= batch:
                    yield from self._answer(waiting)
                    waiting = []
        if waiting:
            yield from self._answer(waiting)

    def _camera(self, photo: np.ndarray, hands: list[Located], K) -> np.ndarray:
        if K is not None:
            return check_camera(K)
        largest = max((hand.crop.size / 1.6 for hand in hands), default=0.0)
        height, width = photo.shape[:2]
        return default_camera(height, width, largest)

    @torch.inference_mode()
    def _answer(self, waiting: list[Waiting]) -> Iterator[list[HandMesh]]:
        known = [one.features for one in waiting if one.features is not None]
        together = [(hand, one.K) for one in waiting if one.features is not None for hand in one.hands]
        ready = self._hands(together, joined(known)) if known else iter(())
        for one in waiting:
            if one.hands and one.features is None:
                yield list(self._many_hands(one))
            else:
                yield [next(ready) for _ in one.hands]

    def _many_hands(self, one: Waiting) -> Iterator[HandMesh]:
        """The hands of a photo that has very many: features, too, are made and left part by part."""
        for start in range(0, len(one.hands), AT_ONCE):
            part = one.hands[start : start + AT_ONCE]
            features = self.finder.features(extract_all(one.photo, [hand.crop for hand in part]))
            yield from self._hands([(hand, one.K) for hand in part], features)

    def _hands(self, found: list[tuple[Located, np.ndarray]], features: Features) -> Iterator[HandMesh]:
        """The heads' answers for hands with their intrinsics, `AT_ONCE` in a pass: what a pass needs does not grow with
        the number of hands."""
        for start in range(0, len(found), AT_ONCE):
            still_wanted()
            part = found[start : start + AT_ONCE]
            views = [CropView.of(hand.crop, K) for hand, K in part]
            some = features.select(slice(start, start + AT_ONCE))
            answer = self.network.answer(some, *self._cameras(views))
            some, answer = for_keeping(some), on_cpu(answer)
            for at, ((hand, K), view) in enumerate(zip(part, views, strict=True)):
                one = slice(at, at + 1)
                first = Estimate(*(f[one] for f in answer.parametric))
                kept = CachedFeatures(some.select(one), first, view, hand.crop)
                yield CachedFeatures.with_proposal(self.hand_of(answer, at, kept, K, hand.side, hand.presence, {}))

    @torch.inference_mode()
    def answer_in(self, photo: np.ndarray, crops: Sequence[Crop], K: np.ndarray) -> list[HandMesh]:
        """The answers for hands in these very crops of a photo, without any search: for who knows where hands are.

        photo: (H, W, 3) uint8; crops: flipped for left hands; K: (3, 3) px. Each hand's `features` hold what the
        encoder saw (presence, side, landmarks: NaN from an encoder without them).
        """
        if not crops:
            return []
        features = self.finder.features(extract_all(photo, crops))
        presence = np.nan_to_num(features.presence.double().cpu().numpy(), nan=1.0)
        right = np.nan_to_num(features.right.double().cpu().numpy(), nan=1.0)
        found = []
        for crop, there, own in zip(crops, presence.tolist(), right.tolist(), strict=True):
            side, corners = ("left" if crop.flip else "right"), crop.corners
            box = (*corners.min(0).tolist(), *corners.max(0).tolist())
            found.append((Located(crop, side, there, 1 - own if crop.flip else own, box, np.full((21, 2), np.nan)), K))
        return list(self._hands(found, features))

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

    def _cameras(self, views: list[CropView]) -> tuple[Tensor, Tensor]:
        return cameras(views, self.device)

    # -- corrections ------------------------------------------------------------------------------------------
    @torch.inference_mode()
    def remember(self, photo: np.ndarray, hand: HandMesh) -> HandMesh:
        """The same hand with cached features of exactly its crop, so that `refine` takes it.

        For a hand that comes from a file or a project, which keep no features. photo: the (H, W, 3) photo it is in.
        """
        photo = as_photo(photo)
        crop = Crop.of_hand(hand)
        view = CropView.of(crop, check_camera(hand.camera, photo.shape[:2]))
        features = self.finder.features(extract_all(photo, [crop]))
        start = self.network.parametric(features, self._cameras([view])[1])
        kept = CachedFeatures(for_keeping(features), Estimate(*(f.cpu() for f in start)), view, crop)
        return self.with_features(hand, kept)

    def with_features(self, hand: HandMesh, kept: CachedFeatures) -> HandMesh:
        """The hand with cached features of its crop, and with what the network says of them untold."""
        asked = hand.replace(features=kept)
        if kept.proposal is None:
            untold = self.prompted(asked, {}).replace(features=None)
            asked = hand.replace(features=replace(kept, proposal=untold))
        return asked

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
        check_sight(merged, hand.camera)
        # told by neighbouring frames: more than the network alone would say of this one, so it is where to begin
        told_elsewhere = PROPAGATED in known.values()
        if told_elsewhere or not isinstance(hand.features, CachedFeatures):
            return solve(hand, self.hand, merged, known, evidence, definition=read, exact=exact, subject=subject).hand
        # what is confirmed is right where it was in the hand that the person saw, not where the network has it
        held = {k: tuple(hand.keypoints[k]) for k, state in known.items() if state == CONFIRMED and k not in merged}
        told = {k: place for k, place in (merged | held).items() if known.get(k) not in UNSEEN}
        if exact:
            answered = self.prompted(hand, told).replace(corrections=merged | held, depth_labels=hand.depth_labels)
            pinned = solve(answered, self.hand, {}, known, evidence, exact=True, subject=subject).hand
            return pinned.replace(corrections=merged)
        proposal = self.with_features(hand, hand.features).features.proposal.replace(features=hand.features)
        joints, places, _, judged = read_labels(proposal, merged, known, SolverSettings(), read, held=held)
        prompts = {int(k): tuple(place) for k, place in zip(joints[judged.gross], places[judged.gross], strict=True)}
        if prompts:
            proposal = self.prompted(hand, prompts).replace(features=hand.features)
        start = proposal.replace(corrections={}, depth_labels=hand.depth_labels)
        return solve(start, self.hand, merged, known, evidence, definition=read, held=held, subject=subject).hand

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
        low, high = hand.keypoints.min(0), hand.keypoints.max(0)
        pad = BOX_MARGIN * float((high - low).max())
        side = "left" if hand.side == "right" else "right"
        (fresh,) = self.propose(photo, [(*(low - pad), *(high + pad))], [side], hand.camera)
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
        labels: dict[int, tuple[float, float]] = {
            k: (float(x), float(y)) for k, (x, y) in enumerate(hand.keypoints) if known.get(k) == CONFIRMED
        }
        labels |= hand.corrections
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
        shown = {name: as_photo(photos[name]) for name in rig if name in photos}
        sizes = {name: photo.shape[:2] for name, photo in shown.items()}
        asking.check_photos(rig, {name: np.shape(photo)[:2] for name, photo in photos.items()})
        where, which = (None if one is None else [one.get(name) for name in shown] for one in (boxes, sides))
        answers = self.propose_many(shown.values(), where, which, [rig[name].K for name in shown])
        hands = join(dict(zip(shown, answers, strict=True)), rig, self.hand, sizes)
        if boxes is not None:
            return hands

        def ask(name: str, box: Sequence[float], side: str) -> HandMesh | None:
            return next(iter(self.propose(shown[name], [box], [side], rig[name].K)), None)

        return [asking.asked_again(hand, self.hand, sizes, ask) for hand in hands]

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
        sightings = []
        for name in (one for one in rig if one in shown and one in photos and one not in left_out):
            untold = shown[name].replace(corrections={}, camera=rig[name].K)
            kept = self.remember(photos[name], untold).features
            sightings.append(Sighting.of(rig[name], kept.proposal.replace(features=kept)))
        if not sightings:
            raise InputError("no photo of this hand counts: there is nothing to start from")
        hand = join_one(sightings, rig, self.hand, dict.fromkeys(shown))  # in all of these photos it is known to be
        labels = {name: dict(one.corrections) for name, one in shown.items() if one.corrections}
        labels = {name: one for name, one in labels.items() if name in hand.views}
        return refine_views(hand, self.hand, labels) if labels else hand

    def alternatives(
        self, hand: HandMesh, states: ByJoint[str] | Sequence[str] | None = None, most: int = 3
    ) -> tuple[Alternative, ...]:
        """Up to `most` other plausible hands with the same keypoints in the photo, likeliest first; the `hand` of one
        can take the place of `hand`. See `correcting.alternatives`."""
        return alternatives(hand, self.hand, states, most)

    @torch.inference_mode()
    def prompted(self, hand: HandMesh, corrections: dict[int, tuple[float, float]]) -> HandMesh:
        """The network's own answer to corrections of a hand with cached features: joint number -> checked (x, y) photo
        px."""
        kept: CachedFeatures = hand.features
        points, weights = np.zeros((1, 21, 2)), np.zeros((1, 21))
        for joint, place in corrections.items():
            point = kept.crop.to_crop(place)
            # it has learned from keypoints in and near crops; those beyond are the solver's alone
            if np.abs(point - MIDDLE).max() <= PROMPT_REACH:
                points[0, joint], weights[0, joint] = point, 1.0
        prompts = Prompts(*(torch.tensor(a, dtype=torch.float32, device=self.device) for a in (points, weights)))
        features = kept.features.to(self.device)
        start = Estimate(*(f.to(self.device) for f in kept.start))
        with one_thread():
            answer = on_cpu(self.network.refine(features, start, *self._cameras([kept.view]), prompts))
        presence = float(np.nan_to_num(kept.features.presence[0].item(), nan=1.0))
        answered = self.hand_of(answer, 0, kept, hand.camera, hand.side, presence, corrections)
        sigma = np.array(answered.keypoint_sigma)
        for joint in corrections:  # being told never makes a keypoint less sure
            sigma[joint] = min(sigma[joint], hand.keypoint_sigma[joint])
        return answered.replace(keypoint_sigma=sigma)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one CPU thread: one hand's refinement is many small steps, and threads that wait for each other at every
    one of them make it twice as slow, now and then ten times (measured: p95 105 ms on two threads, 10 ms on one)."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
