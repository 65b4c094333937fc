"""Build the free hand model: `python -m annotator.tools.build_hand GLB OUT.npz`.

GLB is `dist/profiles/generic-hand/right.glb` of the npm package `@webxr-input-profiles/assets` 1.0.20 (MIT
licence, see data/LICENSE-webxr-input-profiles.txt). Steps: weld; put the hand into rest axes; move the
thumb's CMC joint to where the metacarpal's published length puts it; scale every bone to published lengths;
draw hands and take principal components; fit the joint regressors; make the mesh levels.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.hand.building.anatomy import WIDENING, joint_limits, target_lengths
from annotator.hand.building.levels import FINGER_IMPORTANCE, LEVEL_SIZES, decimate, upsampling
from annotator.hand.building.regressors import fit_regressor, keypoint_regressor
from annotator.hand.joints import FINGERS
from annotator.hand.model import HandModel, MeshLevel
from annotator.tools.glb import SkinnedMesh, read_skinned_glb
from annotator.tools.shape_space import BONE_OF_MANO, CHAINS, FOLD, Skeleton, shape_space

_PARTS = ("metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal")


def _bone_names() -> list[str]:
    names = ["wrist", "thumb-metacarpal", "thumb-phalanx-proximal", "thumb-phalanx-distal"]
    for finger in ("index", "middle", "ring", "pinky"):
        names += [f"{finger}-finger-{part}" for part in _PARTS]
    return names


def _smooth(weights: np.ndarray, faces: np.ndarray, steps: int) -> np.ndarray:
    """Average each vertex's weights with its neighbours', `steps` times: softer creases at the joints."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    near = np.zeros((len(weights), len(weights)))
    near[edges[:, 0], edges[:, 1]] = 1.0
    near /= near.sum(axis=1, keepdims=True)
    for _ in range(steps):
        weights = 0.5 * weights + 0.5 * near @ weights
    return weights


def source_skeleton(mesh: SkinnedMesh, smoothing: int = 2) -> tuple[Skeleton, np.ndarray]:
    """The source hand in rest axes, tips' weights folded in, and each bone's flexion axis (20,3)."""
    place = {name: n for n, name in enumerate(mesh.names)}
    order = [place[name] for name in _bone_names()]
    weights = mesh.weights[:, order]
    for finger in FINGERS:
        source = "thumb" if finger == "thumb" else f"{'pinky' if finger == 'little' else finger}-finger"
        weights[:, CHAINS[finger][-1]] += mesh.weights[:, place[f"{source}-tip"]]
    weights = _smooth(weights, mesh.faces, smoothing)
    joints = mesh.frames[order, :3, 3]
    # WebXR joint frames: -Z along the bone, +Y out of the back of the hand; X is the extension axis, so -X
    # flexes.
    along = joints[CHAINS["middle"][1]] - joints[0]
    back = mesh.frames[[order[CHAINS[f][1]] for f in FINGERS[1:]], :3, 1].mean(axis=0)
    x = -along / np.linalg.norm(along)
    y = back - (back @ x) * x
    y /= np.linalg.norm(y)
    turn = np.stack([x, y, np.cross(x, y)])
    points, joints = (mesh.vertices - joints[0]) @ turn.T, (joints - joints[0]) @ turn.T
    flexion = -mesh.frames[order, :3, 0] @ turn.T
    if joints[CHAINS["thumb"][2], 2] <= joints[CHAINS["little"][1], 2]:
        raise InputError("the source is not a right hand: its thumb lies on the wrong side")
    tips = []
    for finger in FINGERS:
        last, before = CHAINS[finger][-1], CHAINS[finger][-2]
        direction = -mesh.frames[order[last], :3, 2] @ turn.T
        reach = np.where(weights[:, last] > 0.5, (points - joints[last]) @ direction, -np.inf)
        tips.append(points[np.argmax(reach)])
        assert (joints[last] - joints[before]) @ direction > 0
    return Skeleton(points, weights, joints, np.array(tips)), flexion


def with_published_proportions(hand: Skeleton) -> Skeleton:
    """Scale the bones of `hand` to the published lengths of a hand of mean length (anatomy.target_lengths).

    The source's thumb saddle joint lies a third of the metacarpal too far out; it is moved back along the
    bone first.
    """
    goal = target_lengths()
    middle = CHAINS["middle"][1]
    size = goal["middle"][0] / float(np.linalg.norm(hand.joints[middle] - hand.joints[0]))
    cmc, mcp, _ = CHAINS["thumb"]
    joints = hand.joints.copy()
    bone = joints[cmc] - joints[mcp]
    joints[cmc] = joints[mcp] + bone / np.linalg.norm(bone) * goal["thumb"][0] / size
    hand = Skeleton(hand.vertices, hand.weights, joints, hand.tips)
    lengths, palm = np.ones(len(FOLD)), np.array([1.0, 1.0, WIDENING["palm"]])
    widths = np.full(len(FOLD), WIDENING["fingers"])
    widths[list(CHAINS["thumb"])] = WIDENING["thumb"]
    for _ in range(30):  # a metacarpal's length acts from its own base: the wrist-MCP distance takes iteration
        now = hand.scaled(palm, lengths, widths, size)
        ends = now.ends()
        for finger in FINGERS:
            chain = CHAINS[finger]
            starts = chain if finger == "thumb" else chain[1:]
            for bone, length in zip(starts, goal[finger][0 if finger == "thumb" else 1 :], strict=True):
                lengths[bone] *= length / np.linalg.norm(ends[bone] - now.joints[bone])
            if finger != "thumb":
                reach = np.linalg.norm(now.joints[chain[1]] - now.joints[0])
                own = np.linalg.norm(now.joints[chain[1]] - now.joints[chain[0]])
                lengths[chain[0]] *= 1.0 + (goal[finger][0] - reach) / own
    return hand.scaled(palm, lengths, widths, size)


def anatomical_axes(hand: Skeleton, flexion: np.ndarray) -> np.ndarray:
    """(15,3,3): flexion, abduction and twist axis of each non-wrist joint; twist runs along the bone."""
    ends = hand.ends()
    axes = np.empty((15, 3, 3))
    for joint, bone in enumerate(BONE_OF_MANO[1:]):
        twist = ends[bone] - hand.joints[bone]
        twist /= np.linalg.norm(twist)
        bend = flexion[bone] - (flexion[bone] @ twist) * twist
        bend /= np.linalg.norm(bend)
        axes[joint] = bend, np.cross(twist, bend), twist
    return axes


def build(path: str | Path) -> tuple[HandModel, dict[str, np.ndarray]]:
    """The free hand from the source GLB, and figures on the way (`held`: variance per shape component)."""
    mesh = read_skinned_glb(path)
    source, flexion = source_skeleton(mesh)
    mean = with_published_proportions(source)
    space = shape_space(mean)
    weights = np.zeros((len(mean.vertices), 16))
    np.add.at(weights.T, list(FOLD), mean.weights.T)
    weights /= weights.sum(axis=1, keepdims=True)
    bones = list(BONE_OF_MANO)
    regressor = fit_regressor(
        mean.vertices, space["directions"], weights, mean.joints[bones], space["joint_directions"][bones]
    )
    tips = np.array([np.argmin(np.linalg.norm(mean.vertices - tip, axis=1)) for tip in mean.tips])
    importance = 1.0 + FINGER_IMPORTANCE * (1.0 - weights[:, 0])
    levels = tuple(
        MeshLevel(indices, faces, upsampling(mean.vertices, mesh.faces, indices))
        for indices, faces in decimate(mean.vertices, mesh.faces, list(LEVEL_SIZES), tips.tolist(), importance)
    )
    model = HandModel(
        name="free",
        template=mean.vertices,
        faces=mesh.faces.astype(np.int32),
        shape_directions=space["directions"],
        weights=weights,
        joint_regressor=regressor,
        keypoint_regressor=keypoint_regressor(regressor, tips),
        levels=levels,
        anatomical_axes=anatomical_axes(mean, flexion),
        limits=joint_limits(),
    )
    return model, {
        "held": space["held"],
        "joints": mean.joints[bones],
        "joint_directions": space["joint_directions"],
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m annotator.tools.build_hand", description="Build the free hand model."
    )
    parser.add_argument("glb", help="right.glb of the WebXR generic hand")
    parser.add_argument("out", help="the .npz to write")
    options = parser.parse_args(arguments)
    try:
        model, figures = build(options.glb)
        model.save(options.out)
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    levels = ", ".join(str(len(level.indices)) for level in model.levels)
    print(f"{options.out}: {len(model.template)} vertices, coarse levels of {levels};")
    print(f"shape components hold {figures['held'].sum():.4%} of the variance; digest {model.digest}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
