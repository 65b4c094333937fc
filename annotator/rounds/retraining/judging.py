"""Is the new model better? Errors on held-out hands, paired with the old model's, and a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from annotator.errors import InputError
from annotator.evaluation.bootstrap import Paired, paired
from annotator.evaluation.metrics import point_errors
from annotator.hand.definitions import JointDefinition
from annotator.hand.mesh import HandMesh
from annotator.learning.data.photos import KeypointTable
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.scoring import rendered_answers
from annotator.model import Model
from annotator.network.glfnet import GLFNet
from annotator.rounds.reading import PhotoReader
from annotator.rounds.selection.candidates import look
from annotator.rounds.settings import RoundSettings
from annotator.vision.crops import Crop


@dataclass(frozen=True, eq=False)
class Held:
    """A model's errors on held-out hands, one row each; NaN where a hand cannot say.

    photo (N,): mean distance, in the photo, of the keypoints that a person set from where the model proposes them, over
    the longer side of the person's keypoints' box (of all 21 if fewer than three are set); joints_mm (N,): PA-MPJPE
    against a gold hand's mesh, no reflections.
    """

    photo: np.ndarray
    joints_mm: np.ndarray


def answers(
    model: Model, table: KeypointTable, crops: list[Crop], progress: Callable[[int], None] | None = None
) -> list[HandMesh]:
    """The model's proposals for the hands of a table, each in its crop. InputError if a photo is gone."""
    reader, found = PhotoReader(), []
    for at, crop in enumerate(crops):
        photo = reader.read(str(table.photo[at]))
        if photo is None:
            raise InputError(f"photo {table.photo[at]} of a hand that is judged by cannot be read any more")
        found.append(look(model, photo, crop, table.K[at], views=False).hand)
        if progress is not None:
            progress(at + 1)
    return found


def errors(hands: list[HandMesh], table: KeypointTable, definition: JointDefinition | None = None) -> Held:
    """The errors of proposals (see `answers`) against the table. definition: how whoever set its keypoints means the
    joints; None: as the mesh has them."""
    in_photo, joints = np.full(len(hands), np.nan), np.full(len(hands), np.nan)
    for at, hand in enumerate(hands):
        said = table.weight[at] > 0
        if said.any():
            outline = table.keypoints[at][said] if said.sum() >= 3 else table.keypoints[at]
            meant = definition.keypoints(hand) if definition is not None else hand.keypoints
            off = np.linalg.norm(meant - table.keypoints[at], axis=1)[said]
            in_photo[at] = off.mean() / max(float(np.ptp(outline, axis=0).max()), 1.0)
        if table.joint_weight[at].all():
            joints[at] = 1000 * float(point_errors(hand.joints, table.joints[at]).mean())
    return Held(in_photo, joints)


def old_errors(network: GLFNet, folder: Path, count: int) -> np.ndarray:
    """(count,) PA-MPVPE mm on the first replay photos, which no round learns from; landmarks with the noise of real
    photos."""
    run, truth = rendered_answers(network, RenderedCrops(folder, jitter=False), count)
    vertices = run.estimates[-1].vertices
    assert vertices is not None  # `rendered_answers` has them
    return 1000 * point_errors(vertices, truth).mean(1)


HARD = 90  # percentile of held-out errors above which a hand is hard
WIDE = 2.0  # of the typical held-out error: nearer, a hand is no contradiction however alike the held-out ones are
LEARNED = 0.9  # of its error before: learning from the hand did not help
SURE = 0.01  # least chance of so many contradicting hands that is put down to chance


def contradicting(before: np.ndarray, after: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(N,) bool: accepted hands that the new model, which learned from them, misses as widely as the old one did, and
    more widely than nine in ten held-out hands and than twice the typical one. A hard hand gets better when it is
    learned; a wrongly corrected one cannot.

    before, after (N,): the old and the new model's errors on accepted hands; held (M,): the new one's on held-out
    hands. All are read by one definition: what all labels share is no contradiction.
    """
    held = held[np.isfinite(held)]
    if not len(held):
        return np.zeros(len(after), bool)
    far = max(float(np.percentile(held, HARD)), WIDE * float(np.median(held)))
    return (after > far) & (after >= LEARNED * before)  # NaN is neither


@dataclass(frozen=True)
class Verdict:
    """promoted, and why or why not; photo: paired errors on the held-out hands (share of the box), the parent's read by
    the definition before against the new model's read by the one after; weights: both read by the one after; old: on
    what the model knew before, mm."""

    promoted: bool
    why: str
    photo: Paired | None
    weights: Paired | None
    old: Paired | None

    def as_dict(self) -> dict:
        parts = {"photo": self.photo, "weights": self.weights, "old": self.old}
        return {"promoted": self.promoted, "why": self.why} | {
            name: part.as_dict() if part else None for name, part in parts.items()
        }


def compared(before: np.ndarray, after: np.ndarray, groups: np.ndarray, settings: RoundSettings) -> Paired | None:
    """The paired bootstrap over photos of errors (N,) of the same hands, NaN left out; None if nothing is left."""
    known = np.isfinite(before) & np.isfinite(after)
    return paired(before[known], after[known], groups[known], settings.seed) if known.any() else None


def judge(
    before: np.ndarray,
    after: np.ndarray,
    groups: np.ndarray,
    old: tuple[np.ndarray, np.ndarray] | None,
    settings: RoundSettings,
    against: np.ndarray | None = None,
    between: np.ndarray | None = None,
) -> Verdict:
    """The rule: promoted only if the error on at least `least_gold` held-out hands fell with the settings' confidence
    (paired bootstrap over photos), not by the definition alone, the error on the old domain did not grow by more than
    `forgotten`, and no more than `contradicted` of the accepted hands contradict the held-out ones.

    before, after (N,): errors of the same hands, NaN left out; groups (N,): their photos; old: errors on the old
    domain; against (M,) bool: which accepted hands contradict, see `contradicting`; between (N,): the parent's errors
    read by the definition that `after` is read by, where that is not the one `before` is read by.
    """
    remembered = paired(*old, seed=settings.seed) if old is not None else None
    found = compared(before, after, groups, settings)
    weights = found if between is None else compared(between, after, groups, settings)

    def say(promoted: bool, why: str) -> Verdict:
        return Verdict(promoted, why, found, weights, remembered)

    if found is None or found.n < settings.least_gold:
        few = found.n if found is not None else 0
        return say(
            False, f"{few} held-out hands cannot tell, at least {settings.least_gold} are needed (`annotator gold`)"
        )
    words = f"error on {found.n} held-out hands {100 * found.before:.2f} -> {100 * found.after:.2f} % of the box"
    if weights is not None and between is not None:
        words += f" ({100 * found.before:.2f} -> {100 * weights.before:.2f} by reading labels as they are meant)"
    if found.better < settings.confidence:
        return say(
            False, f"{words}: better with confidence {found.better:.2f} only, {settings.confidence:g} is asked for"
        )
    if weights is not None and weights.after > weights.before:
        return say(
            False,
            f"{words}, but read alike the new weights are worse than the old: {100 * weights.before:.2f} -> "
            f"{100 * weights.after:.2f} %",
        )
    if remembered is not None and remembered.after > remembered.before * (1 + settings.forgotten):
        grown = 100 * (remembered.after / remembered.before - 1)
        return say(
            False,
            f"{words}, but on what it knew before the error grew by {grown:.1f} %, {100 * settings.forgotten:g} are "
            "allowed",
        )
    if against is not None and len(against) and against.mean() > settings.contradicted:
        many = int(against.sum())
        # of right corrections one in ten would lie as far off as the hardest tenth of held-out hands
        if binomtest(many, len(against), 1 - HARD / 100, alternative="greater").pvalue < SURE:
            return say(
                False,
                f"{words}, but {many} of {len(against)} accepted hands contradict it and the held-out ones: look at "
                "them (report)",
            )
    return say(True, f"{words}, better with confidence {found.better:.2f}")
