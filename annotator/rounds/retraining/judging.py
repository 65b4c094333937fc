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


def errors(hands: list[HandMesh], table: KeypointTable) -> Held:
    """The errors of proposals (see `answers`) against the table."""
    in_photo, joints = np.full(len(hands), np.nan), np.full(len(hands), np.nan)
    for at, hand in enumerate(hands):
        said = table.weight[at] > 0
        if said.any():
            outline = table.keypoints[at][said] if said.sum() >= 3 else table.keypoints[at]
            off = np.linalg.norm(hand.keypoints - table.keypoints[at], axis=1)[said]
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


HARD, LEARNED = (
    90,
    0.9,
)  # percentile of held-out errors above which a hand is hard; of its error before: it did not help
SURE = 0.01  # least chance of so many contradicting hands that is put down to chance


def contradicting(before: np.ndarray, after: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(N,) bool: accepted hands that the new model, which learned from them, misses as widely as the old one did, and
    more widely than nine in ten held-out hands. A hard hand gets better when it is learned; a wrongly corrected one
    cannot.

    before, after (N,): the old and the new model's errors on accepted hands; held (M,): the new one's on held-out
    hands.
    """
    held = held[np.isfinite(held)]
    if not len(held):
        return np.zeros(len(after), bool)
    return (after > np.percentile(held, HARD)) & (after >= LEARNED * before)  # NaN is neither


@dataclass(frozen=True)
class Verdict:
    """promoted, and why or why not; photo: paired errors on the held-out hands (share of the box); old: on what the
    model knew before, mm."""

    promoted: bool
    why: str
    photo: Paired | None
    old: Paired | None

    def as_dict(self) -> dict:
        return {
            "promoted": self.promoted, "why": self.why,
            "photo": self.photo.as_dict() if self.photo else None, "old": self.old.as_dict() if self.old else None,
        }  # fmt: skip


def judge(
    before: np.ndarray,
    after: np.ndarray,
    groups: np.ndarray,
    old: tuple[np.ndarray, np.ndarray] | None,
    settings: RoundSettings,
    against: np.ndarray | None = None,
) -> Verdict:
    """The rule: promoted only if the error on at least `least_gold` held-out hands fell with the settings' confidence
    (paired bootstrap over photos), the error on the old domain did not grow by more than `forgotten`, and no more than
    `contradicted` of the accepted hands contradict the held-out ones.

    before, after (N,): errors of the same hands, NaN left out; groups (N,): their photos; old: errors on the old
    domain; against (M,) bool: which accepted hands contradict, see `contradicting`.
    """
    known = np.isfinite(before) & np.isfinite(after)
    remembered = paired(*old, seed=settings.seed) if old is not None else None
    if known.sum() < max(settings.least_gold, 1):
        why = (
            f"{int(known.sum())} held-out hands cannot tell, at least {settings.least_gold} are needed (`annotator "
            "gold`)"
        )
        found = paired(before[known], after[known], groups[known], settings.seed) if known.any() else None
        return Verdict(False, why, found, remembered)
    found = paired(before[known], after[known], groups[known], settings.seed)
    words = f"error on {found.n} held-out hands {100 * found.before:.2f} -> {100 * found.after:.2f} % of the box"
    if found.better < settings.confidence:
        why = f"{words}: better with confidence {found.better:.2f} only, {settings.confidence:g} is asked for"
        return Verdict(False, why, found, remembered)
    if remembered is not None and remembered.after > remembered.before * (1 + settings.forgotten):
        grown = 100 * (remembered.after / remembered.before - 1)
        why = (
            f"{words}, but on what it knew before the error grew by {grown:.1f} %, {100 * settings.forgotten:g} are "
            "allowed"
        )
        return Verdict(False, why, found, remembered)
    if against is not None and len(against) and against.mean() > settings.contradicted:
        many = int(against.sum())
        # of right corrections one in ten would lie as far off as the hardest tenth of held-out hands
        if binomtest(many, len(against), 1 - HARD / 100, alternative="greater").pvalue < SURE:
            why = (
                f"{words}, but {many} of {len(against)} accepted hands contradict it and the held-out ones: look at "
                "them (report)"
            )
            return Verdict(False, why, found, remembered)
    return Verdict(True, f"{words}, better with confidence {found.better:.2f}", found, remembered)
