"""Every reader: one record of three is broken in every way there is; it is named, and the others go through if
asked."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from small_captures import CAPTURES
from small_sets import NAN, OTHERS

from annotator.errors import InputError
from annotator.files.serialization import safe_pickle
from annotator.formats import READERS, WRITERS, reader, writer
from annotator.formats.core.details import skipping, whole
from annotator.formats.hamer.tar import dumped

DAMAGES = ("missing", "shape", "nan", "singular")


def broken_details(details: dict, kind: str) -> dict:
    """What details.json, a shard's or a table's row say of a hand, broken."""
    change = {"shape": {"keypoints": [[1.0, 2.0]]}, "nan": {"box": [NAN, 0.0, 1.0, 1.0]},
              "singular": {"K": [[500.0, 0, 10], [0, 0, 0], [0, 0, 1]]}}  # fmt: skip
    return details | change[kind]


def edit_json(path, edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


# -- our own exports: how to break the second record of each --------------------------------------------------
def in_details(folder, kind, photo):
    if kind == "missing":
        (found,) = folder.glob(photo)
        found.unlink()
    else:
        edit_json(folder / "details.json", lambda rows: rows.__setitem__(1, broken_details(rows[1], kind)))
    return "index 1"


def in_freihand(folder, kind):
    if kind == "missing":
        (folder / "training" / "rgb" / "00000001.jpg").unlink()
        return "index 1.*00000001.jpg"
    name, value = {
        "shape": ("xyz", [[1, 2, 3]]),
        "nan": ("xyz", [[NAN] * 3] * 21),
        "singular": ("K", np.zeros((3, 3)).tolist()),
    }[kind]
    edit_json(folder / f"training_{name}.json", lambda rows: rows.__setitem__(1, value))
    return "index 1"


def in_tar(folder, kind):
    (path,) = folder.glob("*.tar")
    with tarfile.open(path) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]
    with tarfile.open(path, "w") as archive:
        for member, data in members:
            if kind == "missing" and member.name == "00000001.jpg":
                continue
            if kind != "missing" and member.name == "00000001.data.pyd":
                (label,) = safe_pickle.load(data, "x")
                details = broken_details(json.loads(label["extra_info"]["annotator"]), kind)
                data = dumped([label | {"extra_info": {"annotator": json.dumps(details)}}])
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return "shard-000000.tar.*00000001"


def in_parquet(folder, kind):
    import pyarrow
    from pyarrow import parquet

    path = folder / "data" / "train-00000.parquet"
    table = parquet.read_table(path)
    rows = table.to_pylist()
    if kind == "missing":
        rows[1]["image"] = None
    else:
        changed = broken_details(rows[1], kind)
        rows[1] = {
            k: np.ravel(v).tolist() if k in ("keypoints", "K") and v is not None else v for k, v in changed.items()
        }
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    return "train-00000.parquet, index 1"


def in_tool(folder, kind, edit, photo="images/00000001.*"):
    """The tool's own file or photo, or the details of a hand that came back as it left."""
    if kind == "missing":
        (found,) = folder.glob(photo)
        found.unlink()
    elif kind == "shape":
        return edit(folder) or "index 1"
    else:
        edit_json(folder / "details.json", lambda rows: rows.__setitem__(1, broken_details(rows[1], kind)))
    return "index 1"


def short_coco(folder):
    edit_json(folder / "annotations.json", lambda all: all["annotations"][1].update(keypoints=[1.0, 2.0, 2]))


def short_cvat(folder):
    text = (folder / "annotations.xml").read_text()
    first, second, third = text.split("<skeleton", 2)
    (folder / "annotations.xml").write_text(
        "<skeleton".join([first, second, re.sub(r'points="[^"]*"', 'points="1"', third, count=1)])
    )


def short_cvat_video(folder):
    first, second = (folder / "annotations.xml").read_text().split('<track id="1" label="hand"', 1)
    second = re.sub(r'(<points [^>]*)points="[^"]*"', r'\1points="1"', second, count=1)
    (folder / "annotations.xml").write_text(f'{first}<track id="1" label="hand"{second}')


def short_task(folder):
    edit_json(folder / "tasks.json", lambda all: all[1]["annotations"][0]["result"][0].pop("id"))


def short_line(folder):
    (folder / "labels" / "00000001.txt").write_text("0 0.5 0.5 1 1\n")
    return r"00000001.txt, index 1, line 1"


def short_row(folder):
    (path,) = folder.rglob("CollectedData_*.csv")
    lines = path.read_text().splitlines()
    lines[5] = ",".join(lines[5].split(",")[:20])
    path.write_text("\n".join(lines))


def short_slp(folder):
    """A photo of the third frame that is called something impossible."""
    import sleap_io

    labels = sleap_io.load_slp(str(folder / "labels.slp"), open_videos=False)
    labels[1].instances[0].points["name"] = "x"
    labels[1].instances[0].skeleton = sleap_io.Skeleton(["elbow"])
    labels[1].instances[0].points = labels[1].instances[0].points[:1]
    labels.skeletons.append(labels[1].instances[0].skeleton)
    sleap_io.save_slp(labels, str(folder / "labels.slp"), embed=False, verbose=False)


OURS = {
    "cvat": lambda folder, kind: in_tool(folder, kind, short_cvat),
    "cvat-video": lambda folder, kind: in_tool(folder, kind, short_cvat_video),
    "label-studio": lambda folder, kind: in_tool(folder, kind, short_task),
    "yolo-pose": lambda folder, kind: in_tool(folder, kind, short_line),
    "deeplabcut": lambda folder, kind: in_tool(folder, kind, short_row, "labeled-data/hands/00000001.*"),
    "sleap": lambda folder, kind: in_tool(folder, kind, short_slp),
    "coco": lambda folder, kind: in_tool(folder, kind, short_coco),
    "freihand": in_freihand,
    "ho3d": lambda folder, kind: in_details(folder, kind, "train/hands0000/rgb/0001.jpg"),
    "coco-wholebody": lambda folder, kind: in_details(folder, kind, "images/00000001.*"),
    "hamer-npz": lambda folder, kind: in_details(folder, kind, "images/00000001.*"),
    "hamer-tar": in_tar,
    "parquet": in_parquet,
    "dexycb": lambda folder, kind: in_details(
        folder, kind, json.loads((folder / "details.json").read_text())[1]["sent"]["photo"]
    ),
    "interhand": lambda folder, kind: in_details(folder, kind, "images/train/00000001.*"),
    "gltf": lambda folder, kind: in_details(folder, kind, "meshes/000001-*"),
    "obj": lambda folder, kind: in_details(folder, kind, "meshes/000001-*"),
    "ply": lambda folder, kind: in_details(folder, kind, "meshes/000001-*"),
}


def in_ho3d(folder, kind):
    """HO3D's own fields, as other people's sets have them: none of our details beside."""
    (folder / "details.json").unlink()
    sequence = folder / "train" / "hands0000"
    if kind == "missing":
        (sequence / "rgb" / "0001.jpg").unlink()
        return "train.txt, index 1.*0001.jpg"
    path = sequence / "meta" / "0001.pkl"
    meta = safe_pickle.load_file(path)
    change = {"shape": {"handJoints3D": np.zeros((4, 3))}, "nan": {"handJoints3D": np.full((21, 3), NAN)},
              "singular": {"camMat": np.zeros((3, 3))}}  # fmt: skip
    path.write_bytes(dumped(meta | change[kind]))
    return "train.txt, index 1"


@pytest.fixture
def three(records, tmp_path):
    """Three hands, each in a photo of its own."""
    found = []
    for number, record in enumerate(records):
        photo = tmp_path / f"photo{number}{record.photo.suffix}"
        shutil.copyfile(record.photo, photo)
        found.append(replace(record, photo=photo))
    return found


def check(name, folder, message):
    with pytest.raises(InputError, match=message):
        list(reader(name).read(folder))
    with skipping() as broken:
        left = list(whole(reader(name).read(folder)))
    assert len(left) == 2 and len(broken) == 1, broken
    assert str(folder) in broken[0]


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("name", sorted(OURS))
def test_our_own_exports(three, tmp_path, name, kind):
    writer(name).write(three, tmp_path / "set")
    check(name, tmp_path / "set", OURS[name](tmp_path / "set", kind))


@pytest.mark.parametrize("kind", DAMAGES)
def test_ho3d(three, tmp_path, kind):
    writer("ho3d").write(three, tmp_path / "set")
    check("ho3d", tmp_path / "set", in_ho3d(tmp_path / "set", kind))


# -- other people's layouts: three records each, the second broken --------------------------------------------
CASES = [
    (name, kind)
    for name in sorted(OTHERS)
    for kind in DAMAGES
    # files of keypoints alone have no camera, and a NaN there is a keypoint without a label (test_fillers.py)
    if kind not in ("singular", "nan") or name in ("dexycb", "interhand", *CAPTURES)
]


@pytest.mark.parametrize(("name", "kind"), [*CASES, ("hint", "no json")])
def test_other_sets(tmp_path, name, kind):
    (tmp_path / "sound").mkdir()
    OTHERS[name](tmp_path / "sound", ["", "", ""])
    assert len(list(reader(name).read(tmp_path / "sound"))) == 3
    (tmp_path / "set").mkdir()
    check(name, tmp_path / "set", OTHERS[name](tmp_path / "set", ["", kind, ""]))


@pytest.mark.parametrize("no_id", [[1], {"a": 1}, None])
@pytest.mark.parametrize(
    ("name", "file"), [("coco", "*.json"), ("interhand", "*_data.json"), ("assemblyhands", "*ego_data*.json")]
)
def test_a_photo_whose_id_can_be_none_is_missing(tmp_path, name, file, no_id):
    """Found by fuzzing: lists as ids came through as TypeErrors."""
    OTHERS[name](tmp_path, ["", "", ""])
    (path,) = tmp_path.rglob(file)
    edit_json(path, lambda content: content["images"][1].update(id=no_id))
    with pytest.raises(InputError, match="index 1"):
        list(reader(name).read(tmp_path))


def test_an_export_whose_annotation_names_no_hands(three, tmp_path):
    writer("interhand").write(three, tmp_path / "set")
    (path,) = (tmp_path / "set").rglob("*_data.json")
    edit_json(path, lambda content: content["annotations"][0].update(hands=None))
    with pytest.raises(InputError, match="no annotation of .* has this hand"):
        list(reader("interhand").read(tmp_path / "set"))


def test_every_reader_is_here():
    assert set(OURS) == set(WRITERS) and set(OURS) | set(OTHERS) == set(READERS)
