"""Other people's own code on what is written here and ours on what theirs writes, and the table of that for
docs/formats.md.

    python benchmarks/other_readers.py [--ho3d DIR] [--freihand DIR] [--mmpose DIR] [--cvat DIR] [--hot3d DIR]
        [--assemblyhands DIR] [--interhand DIR] [--tools PYTHON] [--write docs/formats.md]

DIR: checkouts of github.com/shreyashampali/ho3d, lmb-freiburg/freihand, open-mmlab/mmpose, cvat-ai/cvat (or a fork),
facebookresearch/hand_tracking_toolkit, facebookresearch/assemblyhands-toolkit and facebookresearch/InterHand2.6M;
PYTHON: an interpreter with what `tools_compared.py` names. A row needs its code. Nothing of these is kept here. Where a
script wants packages that its numbers do not need (a viewer, a config registry), stand-ins take their place, and the
row says so.

--write puts the table between the two marks in the document.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import published_code
import tools_compared
from scipy.spatial import cKDTree
from tables import markdown
from tools_compared import OURS

from annotator.evaluation import protocols
from annotator.formats import writer
from annotator.formats.transfer.from_project import labelled_hands
from annotator.project import Project, Provenance
from annotator.vision.photos import read_photo

START, END = "<!-- other readers: begin -->", "<!-- other readers: end -->"
HEAD = ["format", "written by", "read or scored by", "version", "date", "command", "what it found"]
ROTATION = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


CHECKOUTS = ("ho3d", "freihand", "mmpose", "cvat", "hot3d", "assemblyhands", "interhand")
Run = Callable[[], tuple[str, str]]  # gives (version, what was found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name in (*CHECKOUTS, "tools", "write"):
        parser.add_argument(f"--{name}", type=Path)
    arguments = parser.parse_args()
    today = datetime.date.today().isoformat()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        records = sample_records(Path(folder) / "project")
        for what, written, reader, option, run in runs(arguments, records, Path(folder)):
            said, found = run()
            command = f"`python benchmarks/other_readers.py {option}".strip() + "`"
            rows.append([what, written, reader, said, today, command, found])
    table = markdown(HEAD, rows)
    print(table)
    if arguments.write is not None:
        text = arguments.write.read_text(encoding="utf-8")
        before, after = text.index(START) + len(START), text.index(END)
        arguments.write.write_text(f"{text[:before]}\n{table}\n{text[after:]}", encoding="utf-8")


def runs(arguments: argparse.Namespace, records: list, folder: Path) -> Iterator[tuple[str, str, str, str, Run]]:
    """(format, written by, read by, option of the command, run) of all whose code is here."""
    place = str(folder)
    yield "coco-wholebody", OURS, "pycocotools COCOeval", "", lambda: (version("pycocotools"), coco(records, place))
    for protocol in ("ho3d", "freihand"):
        code = getattr(arguments, protocol)
        if code is not None:
            what, script = f"`evaluate --protocol {protocol}`", f"its `eval.py`{STAND_INS}"
            yield what, OURS, script, f"--{protocol} DIR", lambda: (commit(code), scorer(code, protocol, place))  # noqa: B023
    if (code := arguments.mmpose) is not None:
        loader = "MMPose `CocoWholeBodyHandDataset._load_annotations` (pycocotools for xtcocotools, no registry)"
        yield "coco-wholebody", OURS, loader, "--mmpose DIR", lambda: (commit(code), mmpose(code, records, place))
    if arguments.cvat is not None:
        code, both = arguments.cvat, published_code.cvat(arguments.cvat, records, folder)
        yield "cvat", OURS, "CVAT `load_anno`", "--cvat DIR", lambda: (commit(code), both[0])
        yield "cvat", "CVAT `dump_as_cvat_annotation`", OURS, "--cvat DIR", lambda: (commit(code), both[1])
        films = published_code.cvat_video(code, records, folder)
        yield "cvat-video", OURS, "CVAT `load_anno`", "--cvat DIR", lambda: (commit(code), films[0])
        yield "cvat-video", "CVAT `dump_as_cvat_interpolation`", OURS, "--cvat DIR", lambda: (commit(code), films[1])
    if arguments.tools is not None:
        for name, written, reader, run in tools_compared.Tools(arguments.tools, records, folder).rows():
            yield name, written, reader, "--tools PYTHON", run
    if (code := arguments.interhand) is not None:
        loader = "its `Dataset` (its configuration and OpenCV stood in for)"
        yield "interhand", OURS, loader, "--interhand DIR", lambda: (
            commit(code), published_code.interhand(code, records, folder))  # fmt: skip
    for name, whose in (("hot3d", "hand_tracking_toolkit"), ("assemblyhands", "AssemblyHands toolkit `Camera`")):
        code = getattr(arguments, name)
        if code is not None:
            check = getattr(published_code, name)
            yield name, "made in its layout", f"{OURS}; {whose}", f"--{name} DIR", lambda: (
                commit(code), check(code, folder))  # noqa: B023  # fmt: skip


STAND_INS = " (SciPy's KD-tree in place of Open3D's distances)"


def commit(checkout: Path) -> str:
    """The checkout's commit, or what its folder is called."""
    done = subprocess.run(["git", "-C", checkout, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    top = subprocess.run(["git", "-C", checkout, "rev-parse", "--show-toplevel"], capture_output=True, text=True)
    own = done.returncode == 0 and Path(top.stdout.strip()) == checkout.resolve()
    return done.stdout.strip() if own else checkout.name


def sample_records(place: Path) -> list:
    """Accepted hands of the sample photos, left and right, as the embedded model proposes them."""
    import annotator
    from annotator import sample_data

    model = annotator.load_model()
    with Project.create(place) as project:
        for path in sample_data.photos()[:8]:
            hands = model.propose(read_photo(path))
            for hand in project.add_proposals(project.add_photo(path), hands, Provenance("default", model.digest)):
                project.set_state(hand, "accepted")
        return list(labelled_hands(project))


def coco(records: list, folder: str) -> str:
    """COCOeval's AP of perfect boxes, masks and keypoints."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    out = Path(folder) / "coco"
    writer("coco-wholebody").write(records, out)
    said = []
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(out / "annotations.json"))
        for one in truth.anns.values():  # its keypoint scorer knows one list a person: the hand's
            one["keypoints"] = one["lefthand_kpts"] if one["lefthand_valid"] else one["righthand_kpts"]
            one["num_keypoints"] = int(np.count_nonzero(one["keypoints"][2::3]))
        for kind in ("bbox", "segm", "keypoints"):
            answers = []
            for one in truth.anns.values():
                shown = {"bbox": one["bbox"], "segm": truth.annToRLE(one), "keypoints": one["keypoints"]}[kind]
                name = "segmentation" if kind == "segm" else kind
                answers.append({"image_id": one["image_id"], "category_id": 1, "score": 0.9, name: shown})
            score = COCOeval(truth, truth.loadRes(answers), kind)
            if kind == "keypoints":
                score.params.kpt_oks_sigmas = np.full(21, 0.035)
            score.evaluate()
            score.accumulate()
            score.summarize()
            said.append(f"{kind} {score.stats[0]:.3f}")
    return f"AP of perfect answers: {', '.join(said)} ({len(records)} hands)"


def mmpose(code: Path, records: list, folder: str) -> str:
    """Every hand as MMPose's own loader has it: side, box, keypoints, outline."""
    out = Path(folder) / "mmpose"
    writer("coco-wholebody").write(records, out)
    from pycocotools.coco import COCO

    @contextlib.contextmanager
    def local(path):
        yield path

    class Registry:
        register_module = staticmethod(lambda: lambda kind: kind)

    corners = lambda boxes: np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)  # noqa: E731
    parts = {
        "mmengine.fileio": {"exists": os.path.exists, "get_local_path": local},
        "xtcocotools.coco": {"COCO": COCO},
        "mmpose.registry": {"DATASETS": Registry},
        "mmpose.structures.bbox": {"bbox_xywh2xyxy": corners},
        "standin.datasets.base": {"BaseCocoStyleDataset": object},
    }
    for name, content in parts.items():
        for at in range(1, name.count(".") + 2):
            sys.modules.setdefault(".".join(name.split(".")[:at]), types.ModuleType(name))
        sys.modules[name].__dict__.update(content)
    path = code / "mmpose" / "datasets" / "datasets" / "hand" / "coco_wholebody_hand_dataset.py"
    spec = importlib.util.spec_from_file_location("standin.datasets.hand.reader", path)
    module = importlib.util.module_from_spec(spec)
    module.__package__ = "standin.datasets.hand"
    spec.loader.exec_module(module)
    loader = module.CocoWholeBodyHandDataset.__new__(module.CocoWholeBodyHandDataset)
    loader.ann_file, loader.data_prefix = str(out / "annotations.json"), {"img": str(out / "images")}
    with contextlib.redirect_stdout(io.StringIO()):
        hands, images = loader._load_annotations()
    assert len(hands) == len(records) and all(len(one["segmentation"][0]) >= 6 for one in hands)
    off = max(
        float(np.abs(one["keypoints"][0] - record.keypoints).max())
        for one, record in zip(sorted(hands, key=_place), sorted(records, key=_own_place), strict=True)
    )
    return f"{len(hands)} hands on {len(images)} photos, keypoints within {off:.0e} px, outlines there"


def _place(one: dict) -> tuple:
    return tuple(np.round(one["keypoints"][0, 0], 2).tolist())


def _own_place(record) -> tuple:
    return tuple(np.round(record.keypoints[0].astype(np.float32), 2).tolist())


def scorer(code: Path, protocol: str, folder: str) -> str:
    """The published script's numbers and curves against ours, on eight perturbed sets of eight hands."""
    script = _script(code)
    caught: list = []
    script.createHTML = lambda _out, curves: caught.extend(curves)
    random = np.random.default_rng(0)
    joints, vertices = (random.normal(0, 0.05, (8, count, 3)) + (0, 0, 0.6) for count in (21, 778))
    script.db_size = lambda *_a, **_k: len(joints)
    kinds = [lambda p: p + random.normal(0, 0.004, p.shape), lambda p: p + random.normal(0, 0.03, p.shape),
             lambda p: p + (0.02, -0.01, 0.05), lambda p: 0.8 * p + random.normal(0, 0.002, p.shape),
             lambda p: p @ ROTATION + random.normal(0, 0.002, p.shape), lambda p: p * (1, 1, 1.4),
             lambda p: p * (-1, 1, 1) + random.normal(0, 0.002, p.shape),
             lambda p: p + random.normal(0, 0.0002, p.shape)]  # fmt: skip
    worst = worst_curve = 0.0
    for number, kind in enumerate(kinds):
        found = kind(joints), kind(vertices)
        place = Path(folder) / f"{protocol}{number}"
        protocols.write_predictions(place / "true.json", protocol, zip(joints, vertices, strict=True))
        for name, rows in zip(("xyz", "verts"), json.loads((place / "true.json").read_text()), strict=True):
            (place / f"evaluation_{name}.json").write_text(json.dumps(rows))
        (place / "true.json").unlink()
        protocols.write_predictions(place / "pred.json", protocol, zip(*found, strict=True))
        caught.clear()
        quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
        with quiet[0], quiet[1], contextlib.chdir(place):  # it leaves curves where one is
            script.main(str(place), str(place), str(place), **({"version": "v3"} if protocol == "ho3d" else {}))
        lines = (place / "scores.txt").read_text().splitlines()
        theirs = {name: float(value) for name, value in (line.split(": ") for line in lines)}
        ours = protocols.compare(protocol, found[0], joints, found[1], vertices)
        assert set(theirs) <= set(ours.scores()), set(theirs) - set(ours.scores())
        worst = max(worst, *(abs(theirs[name] - ours.scores()[name]) for name in theirs))
        shares = [np.array(curve["share"]) for curve in ours.curves().values()]
        for curve in caught:
            worst_curve = max(worst_curve, min(float(np.abs(curve.y_data - own).max()) for own in shares))
    return f"8 sets of 8 hands, 778 vertices: all {len(theirs)} numbers within {worst:.0e} (it prints 6 decimals), " \
           f"{len(caught)} curves within {worst_curve:.0e}"  # fmt: skip


def _script(code: Path):
    """A checkout's eval.py as a module, its viewer and file helpers stood in for."""
    viewer = types.ModuleType("open3d")

    class Cloud:
        points = None

    def distances(a, b):
        return cKDTree(b.points).query(a.points)[0]

    viewer.PointCloud, viewer.Vector3dVector = Cloud, np.asarray
    viewer.compute_point_cloud_to_point_cloud_distance = distances
    viewer.geometry, viewer.utility = types.SimpleNamespace(PointCloud=Cloud), types.SimpleNamespace()
    viewer.utility.Vector3dVector = np.asarray
    Cloud.compute_point_cloud_distance = distances
    helpers = types.ModuleType("utils.vis_utils")
    helpers.json_load = lambda path: json.loads(Path(path).read_text())
    helpers.np, helpers.os = np, os
    np.trapz = getattr(np, "trapz", np.trapezoid)  # numpy 2 has it by another name
    for name in [name for name in sys.modules if name == "utils" or name.startswith("utils.")]:
        del sys.modules[name]
    sys.modules |= {"open3d": viewer, "utils.vis_utils": helpers, "utils.fh_utils": helpers}
    sys.path.insert(0, str(code))
    try:
        spec = importlib.util.spec_from_file_location(f"published_{code.name}", code / "eval.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(code))
    module.np, module.os, module.json_load = np, os, helpers.json_load
    return module


if __name__ == "__main__":
    main()
