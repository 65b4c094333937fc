"""Any sound record goes through every format and comes back."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from same import assert_same

from annotator.formats import LabelledHand, reader, writer
from annotator.formats.core.base import ManoLabel
from annotator.formats.core.exporting import mirrored
from annotator.formats.dexycb.writer import fitted
from annotator.formats.freihand.writer import to_sample
from annotator.hand.mesh import HandParameters
from annotator.project.records.states import HAND_STATES, JOINT_STATES

FACES = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)


@st.composite
def some_records(draw, whole=False):
    """One to three records of two photos; whole: with joints, mesh and camera."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

        def maybe(value):
            return value if whole or draw(st.booleans()) else None

        joints = random.normal(0, 0.05, (21, 3)) + (0, 0, 0.7)
        mesh = maybe(random.normal(0, 0.05, (4, 3)) + (0, 0, 0.7))
        parameters = HandParameters(*(random.normal(size=s) for s in ((16, 3), 10, 3, (2, 3))))
        mano = ManoLabel(random.normal(size=48), random.normal(size=10), random.normal(size=3), "from mean")
        x, y, w, h = random.uniform(1, 100, 4)
        side = draw(st.sampled_from(["left", "right"]))
        found.append(LabelledHand(
            id=draw(TEXT), photo=Path(draw(st.sampled_from(["a.png", "b.jpg"]))), side=side,
            box=np.array([x, y, x + w, y + h]), K=maybe(np.array([[500.0, 0, 50], [0, 510, 40], [0, 0, 1]])),
            keypoints=random.uniform(-50, 200, (21, 2)), visible=random.random(21) < 0.5,
            states=tuple(draw(st.lists(st.sampled_from(JOINT_STATES), min_size=21, max_size=21))),
            weights=random.random(21), joints=maybe(joints), vertices=mesh,
            faces=None if mesh is None else FACES[:, :: -1 if side == "left" else 1],
            parameters=maybe(parameters), keypoint_sigma=maybe(random.random(21)), hand_model="some model",
            state=draw(st.sampled_from(["", *HAND_STATES])), joint_weights=maybe(random.random(21)),
            provenance={"note": draw(TEXT), "n": draw(st.integers(-5, 5))}, mano=maybe(mano),
        ))  # fmt: skip
    return found


def through(name, records, without):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        Image.new("RGB", (90, 70), "red").save(folder / "a.png")
        Image.new("RGB", (90, 70), "blue").save(folder / "b.jpg")
        placed = [replace(record, photo=folder / record.photo) for record in records]
        writer(name).write(placed, folder / "set")
        expected = [mirrored(r, 90) for r in placed] if name == "ho3d" else placed
        if name == "dexycb":
            expected = [fitted(r)[0] for r in placed]
        if name == "freihand":
            expected = [to_sample(r, "image.jpg")[0] for r in placed]
        for ours, theirs in zip(reader(name).read(folder / "set"), expected, strict=True):
            assert_same(ours, theirs, without)


SETTINGS = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", ["coco", "coco-wholebody", "hamer-npz", "hamer-tar"])
@SETTINGS
@given(records=some_records())
def test_formats_without_meshes(name, records):
    through(name, records, ("photo", "vertices", "faces"))  # meshes come back by parameters of a model that is here


@pytest.mark.parametrize("name", ["cvat", "cvat-video", "label-studio", "yolo-pose"])
@SETTINGS
@given(records=some_records())
def test_formats_photo_by_photo(name, records):
    """In the photos' order. DeepLabCut's and SLEAP's files cannot hold hands without a label: see test_tools.py."""
    order = list(dict.fromkeys(record.photo for record in records))
    through(name, sorted(records, key=lambda record: order.index(record.photo)), ("photo", "vertices", "faces"))


@pytest.mark.parametrize("name", ["dexycb", "interhand"])
@SETTINGS
@given(records=some_records(whole=True))
def test_sets_of_several_cameras(name, records):
    through(name, records, ("photo", "vertices", "faces"))


@SETTINGS
@given(records=some_records())
def test_parquet(records):
    through("parquet", records, ("photo",))


@pytest.mark.parametrize("name", ["freihand", "ho3d", "gltf", "ply", "obj"])
@SETTINGS
@given(records=some_records(whole=True))
def test_formats_with_meshes(name, records):
    through(name, records, ("photo",))
