"""What `annotator correct` is asked to say of one joint, checked, and as project and solver take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annotator.correcting.depth.evidence import Evidence, InFront
    from annotator.hand.mesh import HandMesh
    from annotator.project.records.views import StoredHand


@dataclass(frozen=True)
class Correction:
    """What is said of one joint, 0..20. place: photo px. relations: what is in front of what. step: mm, away from the
    camera."""

    joint: int
    place: tuple[float, float] | None
    state: str | None
    relations: tuple[InFront, ...]
    step: float | None
    forget_depth: bool
    exact: bool
    hold: bool
    note: dict[str, str]  # of the depth, for the journal

    @property
    def name(self) -> str:
        from annotator.hand.joints import JOINT_NAMES

        return JOINT_NAMES[self.joint]

    @property
    def of_depth(self) -> bool:
        """Whether something is said of the joint's depth."""
        return bool(self.relations) or self.step is not None or self.forget_depth


def correction_of(
    joint: str,
    x: float | None,
    y: float | None,
    state: str | None,
    in_front_of: str | None,
    behind: str | None,
    nearer: float | None,
    farther: float | None,
    forget_depth: bool,
    exact: bool,
    hold: bool,
) -> Correction:
    """What the command line says, or InputError where it contradicts itself or says nothing."""
    from annotator.correcting.depth.evidence import InFront
    from annotator.errors import InputError
    from annotator.hand.joints import joint_index

    number = joint_index(joint)
    if hold and (x is None or y is None):
        raise InputError("--hold is about where a keypoint is put: it needs X and Y")
    relations = [InFront(number, in_front_of)] if in_front_of is not None else []
    relations += [InFront(behind, number)] if behind is not None else []
    if nearer is not None and farther is not None:
        raise InputError("correct takes --nearer or --farther, not both")
    if forget_depth and (relations or nearer is not None or farther is not None):
        raise InputError("--forget-depth takes back what was said of a joint's depth: say nothing new with it")
    step = (farther or 0.0) - (nearer or 0.0) if nearer is not None or farther is not None else None
    note = {"in front of": in_front_of} if in_front_of is not None else {}
    note |= {"behind": behind} if behind is not None else {}
    note |= {"nearer by, mm": f"{-step:g}"} if step is not None else {}
    note |= {"depth": "forgotten"} if forget_depth else {}
    place = None if x is None or y is None else (x, y)
    asked = Correction(number, place, state, tuple(relations), step, forget_depth, exact, hold, note)
    if (x is None) != (y is None) or (x is None and state is None and not asked.of_depth):
        depths = "--in-front-of, --behind, --nearer, --farther, --forget-depth"
        raise InputError(f"correct needs X and Y, or what is known of the joint: --state, {depths}")
    return asked


def states_with(before: StoredHand, asked: Correction) -> list[str]:
    """The joints' states with this correction, (21,)."""
    from annotator.project.records.states import CORRECTED, check_joint_states

    states = list(before.joint_states)
    states[asked.joint] = asked.state or (states[asked.joint] if asked.place is None else CORRECTED)
    check_joint_states(states)
    return states


def evidence_of(before: StoredHand, mesh: HandMesh, asked: Correction) -> list[Evidence]:
    """What is said of depth, as the solver takes it. InputError where there is nothing to take back."""
    from annotator.correcting.depth.evidence import PalmDepths
    from annotator.errors import InputError
    from annotator.hand.depth_labels import depths_from_palm

    if asked.forget_depth and before.depth_labels == before.depth_labels.without(asked.joint):
        raise InputError(f"nobody said anything of the depth of {asked.name} in hand {before.id}")
    if asked.step is None:
        return list(asked.relations)
    now = before.depth_labels.from_palm.get(asked.joint, float(depths_from_palm(mesh.joints)[asked.joint]))
    return [*asked.relations, PalmDepths({asked.joint: now + asked.step / 1000})]


def check_place(place: tuple[float, float] | None, before: StoredHand) -> None:
    """InputError for a keypoint that is far outside the photo."""
    from annotator.errors import InputError

    height, width = before.photo.height, before.photo.width
    if place is not None and not (-width <= place[0] <= 2 * width and -height <= place[1] <= 2 * height):
        x, y = place
        raise InputError(f"({x:g}, {y:g}) is far outside the {width} x {height} px photo of hand {before.id}")
