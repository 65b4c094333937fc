"""Real photos with keypoint labels, made from the three freely licensed sets (see sample_data/README.md).

    python -m annotator.learning.real_sets SOURCE OUT

SOURCE holds `sign-language-digits/`, `sign-language-video/` and `two-camera-hand/` as their authors publish them. The
labels are a teacher's (MediaPipe's network, asked many times); where two calibrated cameras see the hand, joints are
triangulated. Digits are split by file hash, videos by time: the last quarter is held out.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from annotator.detection.localization import locate
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.errors import InputError
from annotator.learning.data.photos import KeypointTable
from annotator.learning.real_sets.teacher import Taught, teach
from annotator.network.encoders.mediapipe_hand import MediaPipeHand, load_mediapipe_hand
from annotator.vision.camera import default_camera
from annotator.vision.photos import read_photo
from annotator.vision.two_views import CalibratedView, triangulate
from annotator.vision.video import frames

HELD_SHARE = 0.25
EVERY = 3  # neighbouring frames of a video are nearly the same photo
UNKNOWN = np.full((3, 3), np.nan)


def row(photo: str, side: str, K: np.ndarray, taught: Taught, held: bool, group: str, trust_3d: float) -> dict:
    """One hand of a `KeypointTable`, labelled by the teacher alone."""
    return {
        "photo": photo,
        "side": side,
        "K": K,
        "keypoints": taught.keypoints,
        "weight": taught.weight,
        "joints": taught.joints,
        "joint_weight": taught.joint_weight * trust_3d,
        "metric": 0.0,
        "held": held,
        "group": group,
    }


def table_of(rows: list[dict]) -> KeypointTable:
    if not rows:
        raise InputError("no hand was found in any photo of the set")
    return KeypointTable(**{name: np.array([r[name] for r in rows]) for name in rows[0]})


def teach_photo(photo: np.ndarray, K: np.ndarray, network: MediaPipeHand, detector: PalmDetector, **hints):
    """The best hand of a photo as (side, Taught), or None."""
    found = locate(photo, network, detector, **hints)
    if not found:
        return None
    hand = max(found, key=lambda h: h.presence)
    return hand.side, teach(photo, hand.crop, K, network)


def digits(source: Path, out: Path, network: MediaPipeHand, detector: PalmDetector, trust_3d: float = 0.3) -> None:
    """2,062 photos of one bare hand each (Apache-2.0, ardamavi/Sign-Language-Digits-Dataset)."""
    rows = []
    for path in track(sorted(source.glob("Dataset/*/*.JPG")), "digits"):
        photo = read_photo(path)
        height, width = photo.shape[:2]
        taught = teach_photo(photo, default_camera(height, width, 0.8 * max(photo.shape)), network, detector)
        if taught is None or taught[1].presence < 0.7 or np.median(taught[1].weight) < 0.4:
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        name = f"digit-{path.parent.name}-{path.name}"
        held = int(digest[:8], 16) % 100 < 100 * HELD_SHARE
        rows.append(row(name, taught[0], UNKNOWN, taught[1], held, digest[:16], trust_3d))
        shutil.copyfile(path, out / name)
    table_of(rows).save(out)


def signing(
    source: Path, out: Path, network: MediaPipeHand, detector: PalmDetector, trust_3d: float = 0.3, every: int = EVERY
) -> None:
    """One hand signing, 325 frames (Apache-2.0, tensorflow/tfjs-models)."""
    rows, video = [], list(frames(source / "asl_hand.25fps.mp4", every=0))
    for i, photo in track(video[::every], "signing"):
        taught = teach_photo(photo, default_camera(*photo.shape[:2]), network, detector)
        if taught is None or taught[1].presence < 0.7 or np.median(taught[1].weight) < 0.3:
            continue
        name = f"signing-{i:04d}.jpg"
        Image.fromarray(photo).save(out / name, quality=93)
        rows.append(row(name, taught[0], UNKNOWN, taught[1], i >= (1 - HELD_SHARE) * len(video), name, trust_3d))
    table_of(rows).save(out)


def read_view(folder: Path, camera: int) -> CalibratedView:
    """A camera of the two-camera set from its two .dat files."""

    def numbers(path: Path, after: str, count: int) -> np.ndarray:
        text = path.read_text().split(after)[1].split()
        return np.array([float(x) for x in text[:count]])

    own, place = folder / f"c{camera}.dat", folder / f"rot_trans_c{camera}.dat"
    return CalibratedView(
        K=numbers(own, "intrinsic:", 9).reshape(3, 3),
        distortion=numbers(own, "distortion:", 5),
        R=numbers(place, "R:", 9).reshape(3, 3),
        t=numbers(place, "T:", 3),
    )


def two_cameras(source: Path, out: Path, network: MediaPipeHand, detector: PalmDetector, every: int = EVERY) -> None:
    """One right hand, two synchronised calibrated videos (MIT, (c) 2021 Temuge Batpurev). Joints are triangulated.

    The label of a view is its own teacher's keypoint; joints come from both. Where the reprojection error is above
    6 px of the 720 the joint gets little weight. The unit of the calibration is unknown: `metric` is 0.
    """
    views = [read_view(source / "legacy" / "camera_parameters", c) for c in (0, 1)]
    videos = [[frame for _, frame in frames(source / "media" / f"cam{c}_test.mp4", every=0)] for c in (0, 1)]
    rows = []
    pairs = list(enumerate(zip(*videos, strict=False)))
    for i, pair in track(pairs[::every], "two cameras"):
        taught = [teach_photo(photo, v.K, network, detector) for photo, v in zip(pair, views, strict=True)]
        if any(t is None or t[0] != "right" or t[1].presence < 0.6 for t in taught):
            continue
        ideal = [v.undistort(t[1].keypoints) for v, t in zip(views, taught, strict=True)]
        world, error = triangulate(views, ideal)
        believed = np.minimum(taught[0][1].weight, taught[1][1].weight) / (1 + (error / 6.0) ** 2)
        if np.median(error) > 8 or np.median(believed) < 0.25:
            continue
        for c, (photo, view) in enumerate(zip(pair, views, strict=True)):
            name = f"two-camera-{i:04d}-cam{c}.jpg"
            Image.fromarray(photo).save(out / name, quality=93)
            held = i >= (1 - HELD_SHARE) * len(videos[0])
            rows.append(row(name, "right", view.K, taught[c][1], held, f"{i:04d}", 1.0))
            rows[-1] |= {"joints": view.to_camera(world), "joint_weight": believed}
            # seen from both sides, the reprojection is a better keypoint than one look; the lens bends it by < 1 px
            rows[-1]["weight"] = np.maximum(rows[-1]["weight"] * 0.7, believed)
    table_of(rows).save(out)


SETS = {"digits": ("sign-language-digits", digits), "signing": ("sign-language-video", signing),
        "two-cameras": ("two-camera-hand", two_cameras)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", choices=list(SETS))
    arguments = parser.parse_args()
    network, detector = load_mediapipe_hand().eval(), PalmDetector()
    for name, (folder, make) in SETS.items():
        if arguments.only in (None, name):
            (arguments.out / name).mkdir(parents=True, exist_ok=True)
            make(arguments.source / folder, arguments.out / name, network, detector)
