"""Published code of tools and data sets, from checkouts, on our files and beside our readers; see `other_readers.py`.

Modules that a file imports and that are not here are stood in for by empty ones while it is loaded: only functions that
do without them are called.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import tarfile
from collections import namedtuple
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock
from xml.etree import ElementTree

import numpy as np
from tools_compared import compared

from annotator.formats import reader, writer
from annotator.formats.interhand.reader import FROM_INTERHAND
from annotator.hand.joints import JOINT_NAMES


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Anything that nobody else finds is an empty module."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        found = MagicMock(name=spec.name)
        found.__path__, found.__spec__ = [], spec
        return found

    def exec_module(self, module: Any) -> None:
        pass


def loaded(path: Path, name: str) -> ModuleType:
    """The module of one file, its missing imports stood in for."""
    before, finder = set(sys.modules), _StandIns()
    sys.meta_path.append(finder)
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.meta_path.remove(finder)
        for new in set(sys.modules) - before:
            if isinstance(sys.modules[new], MagicMock):
                del sys.modules[new]


# -- CVAT ------------------------------------------------------------------------------------------------------
Attribute = namedtuple("Attribute", "name value")


class _Task:
    """What CVAT's importer and exporter of XML ask of a task: frames by number, shapes, attributes."""

    def __init__(self, photos: list[str]):
        self.photos, self.shapes, self.tracks, self.meta = photos, [], [], {"task": {"name": "hands"}}

    Attribute = staticmethod(lambda name, value: Attribute(name, value))

    Track = staticmethod(lambda **values: SimpleNamespace(**values))
    TrackedShape = staticmethod(lambda **values: SimpleNamespace(**values))

    def add_track(self, track: Any) -> None:
        self.tracks.append(track)

    @staticmethod
    def LabeledShape(**values: Any) -> Any:  # noqa: N802  (CVAT's name)
        return SimpleNamespace(**({"group": 0, "rotation": 0, "z_order": 0, "attributes": []} | values))

    def abs_frame_id(self, frame: int) -> int:
        return frame

    def add_shape(self, shape: Any) -> None:
        self.shapes.append(shape)

    def group_by_frame(self, include_empty: bool) -> list:
        return [
            SimpleNamespace(frame=n, name=name, width=size[0], height=size[1], tags=[],
                            labeled_shapes=[one for one in self.shapes if one.frame == n])
            for n, (name, size) in enumerate(self.photos)
        ]  # fmt: skip


def cvat(code: Path, records: list, folder: Path) -> tuple[str, str]:
    """(what its importer makes of our XML, what we make of the XML that its exporter writes of that)."""
    from PIL import Image

    module: Any = loaded(code / "cvat" / "apps" / "dataset_manager" / "formats" / "cvat.py", "cvat_formats.cvat")
    module.ElementTree = ElementTree  # defusedxml's is the same with guards
    module.DatasetItem = lambda id, attributes, media: int(attributes["frame"])
    module.match_dm_item = lambda item, instance_data: item
    out = folder / "cvat"
    writer("cvat").write(records, out)
    photos = []
    for path in sorted((out / "images").iterdir()):
        with Image.open(path) as picture:
            photos.append((path.name, picture.size))
    task = _Task(photos)
    with (out / "annotations.xml").open("rb") as file:
        module.load_anno(file, task)
    hands = []
    for shape in task.shapes:
        elements = {one.label: one for one in shape.elements}
        points = [None if elements[name].outside else [n - 0.5 for n in elements[name].points] for name in JOINT_NAMES]
        side = next(one.value for one in shape.attributes if one.name == "side")
        hands.append({"photo": photos[shape.frame][0], "side": side, "points": points})
    rows = json.loads((out / "details.json").read_text())
    sent = [{"photo": Path(row["sent"]["file"]).name, "side": row["side"], "points": np.array(row["sent"]["points"])}
            for row in rows]  # fmt: skip
    read = compared(sent, hands)
    text = io.StringIO()
    dumper = module.create_xml_dumper(text)
    dumper.open_document()
    for shape in task.shapes:
        shape.type = "skeleton"
    task.meta = {"task": {"name": "hands"}}
    module.ProjectData = type("ProjectData", (), {})
    module.dump_as_cvat_annotation(dumper, task)
    dumper.close_document()
    (out / "annotations.xml").write_text(text.getvalue(), encoding="utf-8")
    again = {record.id: record for record in reader("cvat").read(out)}  # as it left: CVAT rounds to hundredths
    assert len(again) == len(records)
    for record in records:
        np.testing.assert_array_equal(again[record.id].keypoints, record.keypoints)
        assert again[record.id].states == record.states and again[record.id].side == record.side
    (out / "details.json").unlink()
    alone = [
        {"photo": record.photo.name, "side": record.side,
         "points": [p if w > 0 else None for p, w in zip(record.keypoints.tolist(), record.weights, strict=True)]}
        for record in reader("cvat").read(out)
    ]  # fmt: skip
    return read, f"{compared(sent, alone)}; with our details beside: untouched hands to the last bit, with their states"


def cvat_video(code: Path, records: list, folder: Path) -> tuple[str, str]:
    """The same for tracks: the records as one hand through the frames of a video."""
    module: Any = loaded(code / "cvat" / "apps" / "dataset_manager" / "formats" / "cvat.py", "cvat_formats.cvat")
    module.ElementTree = ElementTree
    out = folder / "cvat-video"
    said = {"video_sha256": "0" * 64, "time": 0.0}
    writer("cvat-video").write(
        [dataclasses.replace(record, provenance=said | {"frame": n, "track": 5 + (record.side == "left")})
         for n, record in enumerate(records)], out)  # fmt: skip
    names = sorted(path.name for path in (out / "images").iterdir())
    task = _Task([])
    with (out / "annotations.xml").open("rb") as file:
        module.load_anno(file, task)
    hands = []
    for track in task.tracks:
        points = {one.label: {int(shape.frame): shape for shape in one.shapes} for one in track.elements}
        for shape in track.shapes:
            if not shape.outside:
                frame = int(shape.frame)
                places = [None if points[name][frame].outside else [n - 0.5 for n in points[name][frame].points]
                          for name in JOINT_NAMES]  # fmt: skip
                side = next(one.value for one in shape.attributes if one.name == "side")
                hands.append({"photo": names[frame], "side": side, "points": places})
    sent = [{"photo": Path(row["sent"]["file"]).name, "side": row["side"], "points": np.array(row["sent"]["points"])}
            for row in json.loads((out / "details.json").read_text())]  # fmt: skip
    read = f"{len(task.tracks)} tracks, {compared(sent, hands)}"
    text = io.StringIO()
    dumper = module.create_xml_dumper(text)
    dumper.open_document()
    task.meta = {"task": {"name": "hands"}}
    module.ProjectData = type("ProjectData", (), {})
    module.dump_as_cvat_interpolation(dumper, task)
    dumper.close_document()
    (out / "annotations.xml").write_text(text.getvalue(), encoding="utf-8")
    (out / "details.json").unlink()
    back = list(reader("cvat-video").read(out))
    alone = [{"photo": one.photo.name, "side": one.side,
              "points": [p if w > 0 else None for p, w in zip(one.keypoints.tolist(), one.weights, strict=True)]}
             for one in back]  # fmt: skip
    return read, f"{len({one.provenance['track'] for one in back})} tracks, {compared(sent, alone)}"


# -- HOT3D and AssemblyHands -----------------------------------------------------------------------------------
def hot3d(code: Path, folder: Path) -> str:
    """The toolkit's hand and camera against ours, on clips of random shapes, poses and cameras."""
    import torch

    sys.path.insert(0, str(code))
    try:
        model = importlib.import_module("hand_tracking_toolkit.hand_models.umetrack_hand_model")
        camera = importlib.import_module("hand_tracking_toolkit.camera")
        maths = importlib.import_module("hand_tracking_toolkit.math_utils")
    finally:
        sys.path.remove(str(code))
    from annotator.formats.captures.umetrack import LANDMARK_OF

    random = np.random.default_rng(0)
    worst_mm = worst_px = 0.0
    hands = 0
    for number in range(8):
        place = folder / f"hot3d{number}"
        place.mkdir()
        clip = _clip(place, random)
        profile = model.from_json(clip["shape"])
        for record in reader("hot3d").read(place, photos=place / "photos"):
            said = clip["hands"][record.provenance["frame"]][record.side]["umetrack_pose"]
            where = said["T_world_from_wrist"]
            pose = model.UmeTrackHandPose(
                torch.tensor(int(record.side == "right")), torch.tensor(said["joint_angles"]),
                torch.tensor(maths.quat_trans_to_matrix(*where["quaternion_wxyz"], *where["translation_xyz"])).float(),
            )  # fmt: skip
            landmarks, _, _ = model.forward_kinematics(pose, profile, requires_mesh=False)
            view = camera.from_json(clip["cameras"])
            world = landmarks.numpy().astype(np.float64)
            kept = np.array([k for k in range(21) if LANDMARK_OF[k] >= 0])
            theirs = view.world_to_eye(world)[[LANDMARK_OF[k] for k in kept]]
            worst_mm = max(worst_mm, 1000 * float(np.abs(theirs - record.joints[kept]).max()))
            px = view.eye_to_window(record.joints[kept])
            seen = record.weights[kept] > 0
            worst_px = max(worst_px, float(np.abs(px - record.keypoints[kept])[seen].max()))
            hands += 1
    return f"{hands} hands of random shape, pose and camera: joints within {worst_mm:.0e} mm (its are float32), " \
           f"keypoints within {worst_px:.0e} px"  # fmt: skip


def _clip(place: Path, random: np.random.Generator) -> dict:
    """One clip of three frames in HOT3D's layout, of random numbers."""
    from PIL import Image

    def pose(spread: float, z: float) -> dict:
        turn = random.normal(size=4)
        at = (random.normal(0, spread, 3) + (0, 0, z)).tolist()
        return {"quaternion_wxyz": (turn / np.linalg.norm(turn)).tolist(), "translation_xyz": at}

    weights = random.random((20, 2))
    shape = {
        "joint_rotation_axes": random.normal(size=(22, 3)), "joint_rest_positions": random.normal(0, 40, (22, 3)),
        "joint_frame_index": np.zeros(22), "joint_parent": np.zeros(22), "joint_first_child": np.zeros(22),
        "joint_next_sibling": np.zeros(22), "landmark_rest_positions": random.normal(0, 40, (20, 3)),
        "landmark_rest_bone_weights": weights / weights.sum(1, keepdims=True),
        "landmark_rest_bone_indices": np.stack([random.choice(17, 2, replace=False) for _ in range(20)]),
    }  # fmt: skip
    axes = shape["joint_rotation_axes"]
    shape["joint_rotation_axes"] = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    shape = {name: value.tolist() for name, value in shape.items()}
    calibration = {
        "image_width": 1408, "image_height": 1408, "projection_model_type": "CameraModelType.FISHEYE624",
        "projection_params": [610.0, 704, 700, *random.normal(0, 0.02, 6), *random.normal(0, 0.001, 6)],
        "label": "camera-rgb", "serial_number": "1",
    }  # fmt: skip
    cameras = {"calibration": calibration, "T_world_from_camera": pose(0.0, -0.6) | {"quaternion_wxyz": [1, 0, 0, 0]}}
    image = io.BytesIO()
    Image.new("RGB", (1408, 1408)).save(image, "JPEG")
    hands: dict[str, dict] = {}
    with tarfile.open(place / "clip.tar", "w") as tar:

        def put(name: str, content: Any) -> None:
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))

        for frame in range(3):
            key = f"{frame:06d}"
            hands[key] = {
                side: {"umetrack_pose": {"joint_angles": random.normal(0, 0.5, 20).tolist(),
                                         "T_world_from_wrist": pose(0.1, 0.0)},
                       "boxes_amodal": {"214-1": [1, 2, 3, 4]}, "visibilities_modeled": {"214-1": 1.0}}
                for side in ("right", "left")
            }  # fmt: skip
            put(f"{key}.image_214-1.jpg", image.getvalue())
            put(f"{key}.cameras.json", {"214-1": cameras})
            put(f"{key}.hands.json", hands[key])
        put("__hand_shapes.json__", {"mano": [0.0] * 10, "umetrack": shape})
    return {"shape": shape, "cameras": cameras, "hands": hands}


def assemblyhands(code: Path, folder: Path) -> str:
    """Its toolkit's camera against ours, on random joints and poses of cameras."""
    from scipy.spatial.transform import Rotation

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "formats"))
    from small_captures import make_assemblyhands

    transforms: Any = loaded(code / "src" / "common" / "utils" / "transforms.py", "assemblyhands_transforms")
    random = np.random.default_rng(0)
    make_assemblyhands(folder / "assemblyhands", [""] * 8)
    place = folder / "assemblyhands" / "annotations" / "val"
    calib = json.loads((place / "assemblyhands_val_ego_calib_v1-1.json").read_text())
    joints = json.loads((place / "assemblyhands_val_joint_3d_v1-1.json").read_text())
    for frame, views in calib["calibration"]["s"]["extrinsics"].items():
        for name in views:
            turn = Rotation.random(random_state=random.integers(1 << 30)).as_matrix()
            middle = random.normal(0, 200, 3)
            views[name] = np.column_stack([turn, (0, 0, 500) - turn @ middle]).tolist()
            world = random.normal(0, 60, (42, 3)) + middle
            joints["annotations"]["s"][frame]["world_coord"] = world.tolist()
    (place / "assemblyhands_val_ego_calib_v1-1.json").write_text(json.dumps(calib))
    (place / "assemblyhands_val_joint_3d_v1-1.json").write_text(json.dumps(joints))
    worst = 0.0
    hands = list(reader("assemblyhands").read(folder / "assemblyhands"))
    for record in hands:
        frame, camera = f"{record.provenance['frame']:06d}", f"{record.provenance['camera']}_mono10bit"
        sequence = calib["calibration"]["s"]
        view = transforms.Camera(sequence["intrinsics"][camera], sequence["extrinsics"][frame][camera])
        moved, turn, focal, middle = view.get_params()
        world = np.array(joints["annotations"]["s"][frame]["world_coord"])
        seen = transforms.world2cam_assemblyhands(world, turn, moved)  # the name that its data set imports it by
        pixels = transforms.cam2pixel(seen, focal, middle)[:21][list(FROM_INTERHAND)]
        worst = max(worst, float(np.abs(pixels[:, :2] - record.keypoints).max()))
    return f"{len(hands)} hands of random joints and cameras: keypoints within {worst:.0e} px"


def interhand(code: Path, records: list, folder: Path) -> str:
    """InterHand2.6M's own `Dataset` on an export of ours: two cameras that see random hands, and the sample photos."""
    out = folder / "data" / "InterHand2.6M"
    hands = [*_seen_by_two(records, folder), *records]
    writer("interhand").write(hands, out)
    (folder / "main").mkdir()
    before = os.getcwd()
    sys.path.insert(0, str(code / "common"))
    try:
        module: Any = loaded(code / "data" / "InterHand2.6M" / "dataset.py", "interhand_dataset")
        os.chdir(folder / "main")  # its paths begin with ../data
        module.cfg.trans_test, module.cfg.input_img_shape = "gt", (256, 256)
        with contextlib.redirect_stdout(io.StringIO()):
            found = module.Dataset(None, "train").datalist
    finally:
        os.chdir(before)
        sys.path.remove(str(code / "common"))
    seen: dict[str, list] = {}
    for one in found:
        seen.setdefault(Path(one["img_path"]).name, []).append(one)
    images = sorted(seen)
    order = {photo: images[k] for k, photo in enumerate(dict.fromkeys(record.photo for record in hands))}
    apart, pixels, compared = 0.0, 0.0, 0
    for record in hands:
        side = slice(0, 21) if record.side == "right" else slice(21, 42)
        of_side = [one for one in seen[order[record.photo]] if one["hand_type"] in (record.side, "interacting")]
        errors = []
        for one in of_side:
            joints = one["joint"]["cam_coord"][side][list(FROM_INTERHAND)]
            places = one["joint"]["img_coord"][side][list(FROM_INTERHAND)]
            errors.append((np.abs(joints - 1000 * record.joints).max(), np.abs(places - own_places(record)).max()))
        nearest = min(errors)
        apart, pixels, compared = max(apart, nearest[0]), max(pixels, nearest[1]), compared + 1
    frames = len({(one["capture"], one["frame"]) for one in found})
    return (
        f"{compared} hands, {len(found)} annotations of {frames} frames: joints in their cameras within {apart:.0e} mm "
        f"(its are float32), pixels within {pixels:.0e}"
    )


def own_places(record: Any) -> np.ndarray:
    """(21, 2) px: a record's joints through its camera."""
    from annotator.vision.camera import project

    return project(record.joints, record.K)


def _seen_by_two(records: list, folder: Path) -> list:
    """Four moments of hands of the records as two cameras with random poses see them."""
    from PIL import Image
    from scipy.spatial.transform import Rotation

    random, found = np.random.default_rng(0), []
    for moment in range(4):
        hand = records[moment % len(records)]
        world = hand.joints - hand.joints.mean(0)
        for camera in ("a", "b"):
            turn = Rotation.from_rotvec(random.normal(0, 0.4, 3)).as_matrix()
            shift = np.array([0, 0, 0.7]) + random.normal(0, 0.03, 3)
            K = np.array([[800.0, 0, 300], [0, 805, 260], [0, 0, 1]])
            photo = folder / f"moment-{moment}-{camera}.png"
            Image.new("RGB", (640, 480)).save(photo)
            rig = {"rig": f"rig{moment}", "instant": f"m{moment}", "camera": camera, "R": turn.tolist(),
                   "t": shift.tolist()}  # fmt: skip
            found.append(dataclasses.replace(
                hand, id=f"{moment}{camera}", photo=photo, K=K, joints=world @ turn.T + shift, vertices=None,
                faces=None, parameters=None, provenance={"rig": rig},
            ))  # fmt: skip
    return found
