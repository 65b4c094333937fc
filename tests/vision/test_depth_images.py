"""Depth images of every form that is read, and one clear line for those that are not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from annotator.errors import InputError
from annotator.vision.images.depth_images import HO3D_STEP, DepthImage, read_depth

DEPTH = np.linspace(0.3, 0.9, 12 * 20).reshape(12, 20)


def write(path, depth=DEPTH):
    """A depth image in the form that the file's name says."""
    kind = path.name.split(".", 1)[1]
    if kind in ("mm.png", "mm.tif"):
        Image.fromarray(np.rint(depth * 1000).astype(np.uint16)).save(path)
    elif kind == "ho3d.png":
        steps = np.rint(depth / HO3D_STEP).astype(int)
        Image.fromarray(np.stack([steps % 256, steps // 256, 0 * steps], axis=-1).astype(np.uint8)).save(path)
    elif kind == "float.tif":
        Image.fromarray(depth.astype(np.float32)).save(path)
    elif kind.endswith(".exr"):
        exr = pytest.importorskip("OpenEXR")
        depth = depth.astype(np.float32)
        channels = {"grey.exr": {"RGB": np.stack([depth] * 3, -1)}, "z.exr": {"Z": depth, "A": 0 * depth}}.get(
            kind, {"ViewLayer.Depth.V": depth, "RGB": np.stack([0 * depth] * 3, -1)}
        )
        exr.File({"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}, channels).write(str(path))
    elif kind == "m.npy":
        np.save(path, depth)
    else:
        np.save(path, np.rint(depth * 1000).astype(np.uint16))
    return path


FORMS = ["d.mm.png", "d.mm.tif", "d.ho3d.png", "d.float.tif", "d.m.npy", "d.mm.npy", "d.grey.exr", "d.z.exr", "d.v.exr"]


@pytest.mark.parametrize("name", FORMS)
def test_forms(tmp_path, name):
    image = read_depth(write(tmp_path / name), (12, 20))
    assert image.depth.dtype == np.float32 and np.abs(image.depth - DEPTH).max() < 6e-4


def test_holes_are_zero_whatever_stands_there():
    holes = DEPTH.copy()
    holes[0, :4] = [np.nan, np.inf, -1, 65.535]
    assert (DepthImage(holes).depth[0, :4] == 0).all() and (DepthImage(holes).depth[1:] > 0).all()


def test_another_cameras_depths_come_to_the_photos_pixels():
    """A tilted plane, seen by a smaller depth camera 5 cm beside the photo's."""
    K_depth = np.array([[100.0, 0, 79.5], [0, 100, 59.5], [0, 0, 1]])
    K = np.array([[240.0, 0, 199.5], [0, 240, 149.5], [0, 0, 1]])
    normal, offset = np.array([0.2, -0.1, 1.0]), 0.8  # normal . X = offset
    t = np.array([0.05, 0.0, 0.0])

    def plane(K, size, at):
        rows, columns = np.mgrid[: size[0], : size[1]]
        rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(K).T
        return (offset - normal @ at) / (rays @ normal)

    seen = DepthImage(plane(K_depth, (120, 160), t)).seen_by(K_depth, K, (300, 400), np.eye(3), t)
    wanted = plane(K, (300, 400), np.zeros(3))
    known = seen.depth > 0
    assert seen.size == (300, 400) and known[60:240, 120:320].mean() > 0.97
    assert np.abs(seen.depth - wanted)[known].max() < 0.01


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda path: np.save(path / "a.npy", np.zeros((12, 20))), "a.npy: the depth image has no measurement"),
        (lambda path: np.save(path / "a.npy", np.full((12, 20), 50.0)), "a.npy.*no measurement"),
        (lambda path: np.save(path / "a.npy", np.ones((12, 20, 3))), r"a.npy.*shape \(12, 20, 3\)"),
        (lambda path: np.save(path / "a.npy", np.array([[None]]), allow_pickle=True), "a.npy"),
        (lambda path: (path / "a.npy").write_bytes(b"no array"), "a.npy cannot be read"),
        (lambda path: np.save(path / "a.npy", DEPTH[:6]), "a.npy is 20 x 6 px, its photo 20 x 12"),
        (lambda path: Image.new("RGB", (20, 12), (9, 9, 9)).save(path / "a.png"), "a.png is no depth image"),
        (lambda path: (path / "a.exr").write_bytes(b"v/1"), "a.exr.*OpenEXR"),
        (lambda path: None, "a.png"),
    ],
)
def test_what_is_none_is_named(tmp_path, make, words):
    make(tmp_path)
    path = next(iter(tmp_path.iterdir()), tmp_path / "a.png")
    with pytest.raises(InputError, match=words) as said:
        read_depth(path, (12, 20))
    assert "\n" not in str(said.value)


def test_openexr_without_its_package_and_without_a_depth(tmp_path, monkeypatch):
    exr = pytest.importorskip("OpenEXR")
    colours = {"RGB": np.random.default_rng(0).random((12, 20, 3)).astype(np.float32)}
    exr.File({"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}, colours).write(str(tmp_path / "a.exr"))
    with pytest.raises(InputError, match=r"a.exr: none of its channels \(.*R.*\) is a depth"):
        read_depth(tmp_path / "a.exr")
    whole = write(tmp_path / "b.z.exr").read_bytes()
    (tmp_path / "b.z.exr").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="b.z.exr") as said:
        read_depth(tmp_path / "b.z.exr")
    assert "\n" not in str(said.value)
    monkeypatch.setitem(__import__("sys").modules, "OpenEXR", None)
    with pytest.raises(InputError, match=r"a.exr: .*needs OpenEXR: pip install 'hand-mesh-annotator\[formats\]'"):
        read_depth(tmp_path / "a.exr")
