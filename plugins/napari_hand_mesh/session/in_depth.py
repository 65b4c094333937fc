"""What a person says of a hand's depth: how near a joint is, which one is in front, which of the hands that look the
same it is; without Qt and napari."""

from __future__ import annotations

from collections.abc import Sequence

import annotator
from annotator.correcting import solve
from annotator.correcting.depth.alternatives import Alternative, alternatives
from annotator.correcting.depth.evidence import Evidence, InFront, PalmDepths, PalmDistance
from annotator.errors import InputError
from annotator.hand.depth_labels import DepthLabels, depths_from_palm, palm_depth
from annotator.hand.joints import JOINT_NAMES, joint_index
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from napari_hand_mesh.session.navigation.looking import Looking


class InDepth(Looking):
    """The part of `Session` that sets depth. Every method but `preview_push` and `alternatives` is one step."""

    @property
    def hand_model(self) -> HandModel:
        return annotator.load_hand(self._mesh().hand_model)

    def preview_push(self, joint: int | str, by: float, whole: bool = False) -> HandMesh:
        """The likeliest hand if a joint (whole: the hand) is farther from the camera by so many m than was said before
        or than the mesh has it, seen from the palm; nothing is stored. A few ms, no torch."""
        return self._told(self._mesh(), [self._pushed(joint_index(joint), by, whole)], quick=True)

    def push(self, joint: int | str, by: float, whole: bool = False) -> None:
        """As `preview_push`, with the network's word where there is one, and stored."""
        joint = joint_index(joint)
        said = [self._pushed(joint, by, whole)]
        note = {"nearer by, mm": f"{-1000 * by:.3g}"} | ({} if whole else {"joint": JOINT_NAMES[joint]})
        self._keep(self._told(self._mesh(), said), **note)

    def put_in_front(self, near: int | str, far: int | str) -> None:
        """One joint is nearer to the camera than another."""
        near, far = joint_index(near), joint_index(far)
        fixed = self._told(self._mesh(), [InFront(near, far)])
        self._keep(fixed, joint=JOINT_NAMES[near], **{"in front of": JOINT_NAMES[far]})

    def take_back_depth(self, said: DepthLabels) -> None:
        """What `said` says was said by mistake: it counts no more."""
        mesh = self._mesh()
        left = mesh.depth_labels.minus(said)
        if left == mesh.depth_labels:
            raise InputError("nobody said that of this hand's depth")
        self._keep(self._told(mesh.replace(depth_labels=left), [], anew=True), depth="forgotten", what=said.words())

    # -- hands that look the same ------------------------------------------------------------------------------
    def alternatives(self, most: int = 3) -> tuple[Alternative, ...]:
        """Other hands that look the same in the photo, likeliest first; tens of ms each."""
        return alternatives(self._mesh(), self.hand_model, self.hand.joint_states, most)

    def take_alternative(self, other: Alternative, version: int | None = None) -> None:
        """Put one of `alternatives` in this hand's place. version: of the hand it was found for."""
        self._check_alone()
        note = self._note(alternative=other.words)
        version = self.hand.version if version is None else version
        self.project.edit(self.hand.id, other.hand.replace(features=None), None, version, note)
        self._reload()

    def other_depth(self) -> str:
        """Take the likeliest alternative; what was turned over, in words. Asked again it goes on from there,
        which usually leads back. InputError if no other hand looks the same."""
        found = self.alternatives(most=1)
        if not found:
            raise InputError("no other hand looks the same in this photo")
        self.take_alternative(found[0])
        return found[0].words

    # -- inside ------------------------------------------------------------------------------------------------
    def _check_alone(self) -> None:
        """InputError if the depth of this hand is not a person's to say."""

    def _pushed(self, joint: int, by: float, whole: bool) -> PalmDepths | PalmDistance:
        joints, said = self._mesh().joints, self._mesh().depth_labels
        if whole:
            return PalmDistance((palm_depth(joints) if said.distance is None else said.distance) + by)
        return PalmDepths({joint: said.from_palm.get(joint, float(depths_from_palm(joints)[joint])) + by})

    def _told(self, mesh: HandMesh, said: Sequence[Evidence], quick: bool = False, anew: bool = False) -> HandMesh:
        """The likeliest hand given its labels and this evidence; quick: by the solver alone; anew: from the proposal,
        whatever the mesh became since."""
        self._check_alone()
        states, features = self.hand.joint_states, self._features.get(self._key())
        if self.model is not None and features is not None and not quick:
            known = mesh.replace(features=features)
            return self.model.refine(known, {}, states, said, definition=self.definition, subject=self.subject)
        labels, held, start = self._solver_start(mesh, dict(enumerate(states)), anew=anew)
        return solve(
            start, self.hand_model, labels, states, said, definition=self.definition, held=held, subject=self.subject
        ).hand

    def _solver_start(
        self, mesh: HandMesh, states: dict[int, str], exact: bool = False, anew: bool = False
    ) -> tuple[dict, dict | None, HandMesh]:
        """(labels, held, start) for `solve`: from where `Model.refine` starts, if the network's proposal is known, so
        that letting go changes little; else from the mesh, or (anew) from what was proposed first."""
        proposal = getattr(self._features.get(self._key()), "proposal", None)
        if proposal is None and anew:
            first = self.project.proposal(self.hand.id)
            proposal = first if first.side == mesh.side else None
        if exact or proposal is None or proposal.vertices.shape != mesh.vertices.shape:
            return {}, None, mesh
        labels = dict(mesh.corrections)
        held = {k: tuple(mesh.keypoints[k]) for k, s in states.items() if s == "confirmed" and k not in labels}
        return labels, held, proposal.replace(corrections={}, depth_labels=mesh.depth_labels)

    def _keep(self, fixed: HandMesh, **remarks) -> None:
        note = self._note(drags=0, definition=self.definition.name, **remarks)
        self.project.edit(self.hand.id, fixed.replace(features=None), None, self.hand.version, note)
        self._reload()
